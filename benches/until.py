"""Seconds of training and evaluation until an accuracy on MNIST's test set: `ff train` with `contrast` beside the step
of the public Forward-Forward codes (the official one, and those that follow it) in JAX and PyTorch. In turn.

Each program evaluates after every epoch, ours by energy, the peers by their head, which is one pass. Schedules depend
on the number of epochs: it is stated for each. JAX's first epoch compiles.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PEERS = Path(__file__).parent / "peers"


def reached(seconds_train, seconds_eval, accuracies, goal):
    """Epochs and seconds until the goal; None where it was not reached."""
    for epoch, accuracy in enumerate(accuracies):
        if accuracy >= goal:
            return epoch + 1, sum(seconds_train[: epoch + 1]), sum(seconds_eval[: epoch + 1])
    return None


def ours(args):
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [args.ff, "train", *args.layers, "--dataset", "mnist", "--backend", "cpu", "--recipe", args.recipe]
        command += ["--num-epochs", str(args.epochs), "--log-dir", run, "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    times = [[line["seconds"][part] for line in lines] for part in ("train", "eval")]
    return reached(*times, [line["accuracy"] for line in lines], args.goal)


def peer(script, args):
    command = [sys.executable, PEERS / script, "--work", "hinton", "--batch-size", "100", "--layers", *args.layers]
    command += ["--epochs", str(args.peer_epochs), "--until", str(args.goal)]
    line = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return reached(line["seconds"]["train"], line["seconds"]["eval"], line["accuracy"], args.goal)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ff", default="target/release/ff", help="the program to measure")
    parser.add_argument("--recipe", default="contrast")
    parser.add_argument("--goal", type=float, default=0.98)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10, help="epochs of our schedule")
    parser.add_argument("--peer-epochs", type=int, default=20, help="epochs of the peers' schedule")
    parser.add_argument("--layers", nargs="+", default=["1000"] * 3)
    args = parser.parse_args()
    programs = {
        f"`{args.recipe}`, {args.epochs} epochs": lambda: ours(args),
        f"JAX, `hinton`, {args.peer_epochs} epochs": lambda: peer("jax_epochs.py", args),
        f"PyTorch, `hinton`, {args.peer_epochs} epochs": lambda: peer("torch_epochs.py", args),
    }
    found = {name: [] for name in programs}
    for number in range(args.rounds):
        for name, measure in programs.items():
            found[name].append(measure())
            print(f"round {number + 1} of {args.rounds}, {name}: {found[name][-1]}", file=sys.stderr, flush=True)
    print(f"| {'-'.join(args.layers)}, until {args.goal:.1%} | epochs | training, s | evaluation, s | sum, s |\n|" + "---|" * 5)
    for name, rounds in found.items():
        if None in rounds:
            print(f"| {name} | not reached | | | |")
            continue
        epochs, train, evaluation = (statistics.median(part) for part in zip(*rounds))
        print(f"| {name} | {epochs} | {train:.3g} | {evaluation:.3g} | {train + evaluation:.3g} |")


if __name__ == "__main__":
    main()
