"""Seconds of real epochs on MNIST, training and evaluation, of `ff train` and of its peers: in turn, several rounds.

Silence and subnormal numbers come with training: no benchmark of the first steps shows them. One epoch is measured, the
third, say: ours is trained until before it once, and each round goes on with a copy of that run. Peers, whose epochs all
cost the same, do two epochs, of which the first compiles. The table has medians.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
COMMANDS = {
    "jax": ("JAX", "jax_epochs.py"),
    "jax-original": ("JAX, original style", "jax_epochs.py", "--style", "original"),
    "torch": ("PyTorch", "torch_epochs.py"),
}


def train(program, run, epochs, *options):
    """Training and evaluation, in seconds, of the last epoch."""
    command = [program, "train", *options, "--num-epochs", str(epochs), "--log-dir", run, "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    return last["seconds"]["train"], last["seconds"]["eval"]


class Ours:
    """A program of ours, and its run of all epochs but the last, which is trained when it is first asked for."""

    def __init__(self, program, args, folder):
        self.program, self.args, self.trained = program, args, Path(folder)

    def __call__(self):
        args, last = self.args, self.args.epochs
        recipe = [*args.layers, "--dataset", "mnist", "--backend", "cpu", "--recipe", args.recipe]
        if last == 1:
            with tempfile.TemporaryDirectory() as folder:
                return train(self.program, Path(folder) / "run", 1, *recipe)
        if not (self.trained / "metrics.jsonl").exists():
            train(self.program, self.trained, last - 1, *recipe)
        with tempfile.TemporaryDirectory() as folder:
            run = shutil.copytree(self.trained, Path(folder) / "run")
            return train(self.program, run, last, "--config", run / "config.toml", "--resume")


def peer(name, args):
    """The same of a peer's second epoch."""
    script, *options = COMMANDS[name][1:]
    command = [sys.executable, PEERS / script, "--epochs", "2", "--layers", *args.layers, *options]
    command += ["--work", "hinton" if args.recipe == "hinton" else "baseline"]
    seconds = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["seconds"]
    return seconds["train"][-1], seconds["eval"][-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ff", default="target/release/ff", help="the program to measure")
    parser.add_argument("--before", help="an earlier build of it, to measure beside it")
    parser.add_argument("--peers", nargs="*", choices=COMMANDS, default=["jax"])
    parser.add_argument("--recipe", default="baseline", help="the peers know the steps of `hinton`, `baseline` and, as jax-original, `original`")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="the epoch that is measured")
    parser.add_argument("--keep", type=Path, help="keep our run until that epoch below this folder, and use it again")
    parser.add_argument("--layers", nargs="+", default=["2000"] * 4)
    args = parser.parse_args()
    folder = args.keep or Path(tempfile.mkdtemp())
    name = f"{args.recipe}-{'-'.join(args.layers)}-{args.epochs}"
    programs = {"ours": Ours(args.ff, args, folder / name)}
    if args.before:
        programs["before"] = Ours(args.before, args, folder / f"{name}-before")
    programs |= {COMMANDS[name][0]: lambda name=name: peer(name, args) for name in args.peers}
    try:
        measure_all(programs, args)
    finally:
        if not args.keep:
            shutil.rmtree(folder)


def measure_all(programs, args):
    """Rounds in turn, and the table."""
    times = {name: [] for name in programs}
    for number in range(args.rounds):
        for name, measure in programs.items():
            times[name].append(measure())
            print(f"round {number + 1} of {args.rounds}, {name}: {times[name][-1]}", file=sys.stderr, flush=True)
    medians = {name: [statistics.median(part) for part in zip(*rounds)] for name, rounds in times.items()}
    what = f"`{args.recipe}` {'-'.join(args.layers)}, epoch {args.epochs}"
    print(f"| {what} | who | training, s | ours is faster | evaluation, s | ours is faster |\n|" + "---|" * 6)
    for name, (train, evaluation) in medians.items():
        ratios = ["", ""]
        if name != "ours":
            ratios = [f"{theirs / mine:.2f}×" for theirs, mine in zip((train, evaluation), medians["ours"])]
        print(f"| | {name} | {train:.3g} | {ratios[0]} | {evaluation:.3g} | {ratios[1]} |")


if __name__ == "__main__":
    main()
