"""Seconds of real epochs on MNIST, training and evaluation, of `ff train` and of JAX: in turn, several rounds.

Silence and subnormal numbers come with training: no benchmark of the first steps shows them. The last epoch of each
round counts; the table has medians.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PEER = Path(__file__).parent / "peers" / "jax_epochs.py"


def ours(args, layers):
    """Training and evaluation, in seconds, of the last epoch."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [args.ff, "train", *layers, "--dataset", "mnist", "--backend", "cpu", "--num-epochs", str(args.epochs)]
        subprocess.run([*command, "--log-dir", run, "--progress", "none"], check=True, stdout=subprocess.DEVNULL)
        last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    return last["seconds"]["train"], last["seconds"]["eval"]


def jax(args, layers):
    command = [sys.executable, PEER, "--epochs", str(args.epochs), "--layers", *layers]
    seconds = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["seconds"]
    return seconds["train"][-1], seconds["eval"][-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ff", default="target/release/ff", help="the program to measure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="epochs of a round, of which the last counts")
    parser.add_argument("--layers", nargs="+", default=["2000"] * 4)
    args = parser.parse_args()
    times = {"ours": [], "JAX": []}
    for number in range(args.rounds):
        for name, measure in [("ours", ours), ("JAX", jax)]:
            times[name].append(measure(args, args.layers))
            print(f"round {number + 1} of {args.rounds}, {name}: {times[name][-1]}", file=sys.stderr, flush=True)
    medians = {name: [statistics.median(part) for part in zip(*rounds)] for name, rounds in times.items()}
    print(f"| {'-'.join(args.layers)}, epoch {args.epochs} | ours, s | JAX, s | ours is faster |\n|---|---|---|---|")
    for i, what in enumerate(["training", "evaluation"]):
        mine, theirs = medians["ours"][i], medians["JAX"][i]
        print(f"| {what} | {mine:.3g} | {theirs:.3g} | {theirs / mine:.2f}× |")


if __name__ == "__main__":
    main()
