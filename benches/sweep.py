"""Seconds of a sweep of many small trainings: `ff sweep` beside the same grid of `benches/peers/torch_cell.py`, which Hydra's
joblib launcher runs. Both in turn, several rounds, with one cell at a time and with two. The table has medians.

Cells differ in their seed alone. Each is recipe `baseline` on 2×128 for some epochs with evaluation after each, on the first
images of MNIST. Ours writes what it always writes: checkpoints, metrics, TensorBoard events, figures, the sweep's table.
"""

import argparse
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
sys.path.insert(0, str(PEERS))

import mnist

# Images of a cell's training and test set: the peer takes tests by the thousand.
TRAIN, TEST = 1500, 1000


def first_images(source, folder):
    """The first images of MNIST and their labels as IDX files."""
    for part, count in ("train", TRAIN), ("t10k", TEST):
        images = mnist.idx(source, f"{part}-images-idx3-ubyte")[:count]
        labels = mnist.idx(source, f"{part}-labels-idx1-ubyte")[:count]
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + images.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels.tobytes())


def seconds(command, cwd):
    began = time.perf_counter()
    subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def ours(args, data, jobs):
    with tempfile.TemporaryDirectory() as folder:
        grid = Path(folder) / "grid.toml"
        grid.write_text(
            f'name = "grid"\nrecipe = "baseline"\n[data]\ndataset = "idx:{data}"\n[network]\nlayer_sizes = [128, 128]\n'
            f"[training]\nnum_epochs = {args.epochs}\n[sweep]\nseed = {list(range(args.cells))}\n"
        )
        command = [args.ff, "sweep", grid, "--jobs", str(jobs), "--backend", "cpu", "--quiet", "--log-dir", f"{folder}/run"]
        return seconds(command, folder)


def peer(args, data, jobs):
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, PEERS.resolve() / "torch_cell.py", "--multirun", "hydra/launcher=joblib"]
        command += [f"hydra.launcher.n_jobs={jobs}", f"seed=range({args.cells})", f"epochs={args.epochs}", f"data_dir={data}"]
        return seconds(command, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ff", type=Path, default="target/release/ff", help="the program to measure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("FF_DATA_DIR"), help="folder of MNIST's IDX files")
    args = parser.parse_args()
    if args.data_dir is None:
        parser.error("--data-dir: MNIST's folder is needed, or FF_DATA_DIR")
    args.ff = args.ff.resolve()
    programs = {"`ff sweep`": ours, "PyTorch, Hydra and joblib": peer}
    with tempfile.TemporaryDirectory() as data:
        first_images(args.data_dir, Path(data))
        found = {}
        for _ in range(args.rounds):
            for jobs in 1, 2:
                for name, measure in programs.items():
                    found.setdefault((name, jobs), []).append(measure(args, data, jobs))
    print(f"| {args.cells} cells of {args.epochs} epochs | cells at a time | seconds | cells a second |\n|---|---|---|---|")
    for (name, jobs), times in found.items():
        middle = statistics.median(times)
        print(f"| {name} | {jobs} | {middle:.3g} ({min(times):.3g} to {max(times):.3g}) | {args.cells / middle:.3g} |")


if __name__ == "__main__":
    main()
