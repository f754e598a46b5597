"""`ff bench` beside its peers: in turn, several rounds, so that a slow minute of the machine hits all alike."""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PEERS = Path(__file__).parent / "peers"


@dataclass
class Entry:
    """One program that does the work, and the times of its rounds."""

    name: str
    command: list
    ours: bool = False
    times: list = field(default_factory=list)
    floors: list = field(default_factory=list)

    def measure(self):
        done = subprocess.run(self.command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            print(f"SKIPPED: {self.name} failed: {' '.join(map(str, self.command))}", file=sys.stderr)
            return
        line = json.loads(done.stdout)
        self.times.append(line["milliseconds_per_step"]["median"])
        if self.ours:
            self.floors.append(sum(line["floor_milliseconds"].values()))

    @property
    def milliseconds(self):
        return statistics.median(self.times)


@dataclass
class Work:
    """A training step, and who does it; the first entry is ours."""

    name: str
    description: str
    entries: list


def python(script, *arguments):
    return [sys.executable, str(PEERS / script), *map(str, arguments)]


def works(args):
    device = "gpu" if args.gpu else "cpu"
    backend = "opencl" if args.gpu else "cpu"
    steps = args.steps or (200 if args.gpu else 10)
    has_torch = importlib.util.find_spec("torch") is not None
    if not has_torch:
        print("SKIPPED: PyTorch is not installed (FF_BENCH_TORCH=1 installs it)", file=sys.stderr)
    common = ["--device", device, "--precision", args.precision, "--steps", steps]

    def ours(name, *arguments):
        options = ["--backend", backend, "--precision", args.precision, "--json"]
        return Entry(name, [args.ff, "bench", *map(str, arguments), *options], ours=True)

    # Ours leaves out what is 0, so it is measured on a trained network; the peers multiply zeros like other numbers.
    warm_up = []
    if os.environ.get("FF_DATA_DIR"):
        warm_up = ["--dataset", "mnist", "--warm-up-epochs", "3"]

    def baseline(widths):
        entries = [
            ours("ours", *widths, "--recipe", "baseline", *warm_up),
            Entry("JAX", python("jax_baseline.py", *common, "--layers", *widths)),
        ]
        if has_torch:
            entries.append(Entry("PyTorch", python("torch_baseline.py", *common, "--layers", *widths)))
            if args.gpu:
                graph = python("torch_baseline.py", *common, "--graph", "--layers", *widths)
                entries.append(Entry("PyTorch, CUDA graph", graph))
        original = python("jax_baseline.py", *common, "--style", "original", "--layers", *widths)
        entries.append(Entry("JAX, original style", original))
        return entries

    def hinton():
        layers, recipe = [1000] * 3, ["--recipe", "hinton"]
        entries = [
            ours("ours", *layers, *recipe, *warm_up),
            ours("ours, no shortcuts", *layers, *recipe, *warm_up, "--set", "training.exact_shortcuts=false"),
        ]
        if has_torch:
            entries.append(Entry("PyTorch", python("torch_hinton.py", *common, "--layers", *layers)))
        return entries

    warmed = "after three epochs on MNIST" if os.environ.get("FF_DATA_DIR") else "on noise, from the first step"
    everything = [
        Work("baseline-2000", f"`baseline` 4×2000, batch 128+128, {warmed}", baseline([2000] * 4)),
        Work("baseline-500", f"`baseline` 4×500, batch 128+128, {warmed}", baseline([500] * 4)),
        Work("hinton", f"`hinton` 3×1000, batch 100, {warmed}", hinton()),
    ]
    return [work for work in everything if work.name.startswith(args.work or "")]


def row(work, entry):
    ours = work.entries[0]
    floor = statistics.median(ours.floors)
    cells = [
        work.description,
        entry.name,
        f"{entry.milliseconds:.3g}",
        f"{ours.milliseconds:.3g}",
        f"{entry.milliseconds / ours.milliseconds:.2f}×",
        f"{floor:.3g}",
        f"{ours.milliseconds / floor:.2f}×",
    ]
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ff", default="target/release/ff", help="the program to measure")
    parser.add_argument("--gpu", action="store_true", help="OpenCL beside CUDA, instead of the CPU")
    parser.add_argument("--precision", choices=["fp32", "tf32"], default="fp32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="steps in one timed run of a peer [default: 10, on a GPU 200]")
    parser.add_argument("--work", help="baseline-2000, baseline-500, hinton, or the beginning of a name")
    args = parser.parse_args()

    print("| work | peer | peer, ms | ours, ms | ours is faster | floor, ms | ours / floor |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for work in works(args):
        for number in range(args.rounds):
            for entry in work.entries:
                print(f"{work.name}: round {number + 1} of {args.rounds}, {entry.name}", file=sys.stderr)
                entry.measure()
        if not work.entries[0].times:
            sys.exit(f"{work.name}: ours did not run")
        for entry in work.entries[1:]:
            if entry.times:
                print(row(work, entry), flush=True)


if __name__ == "__main__":
    main()
