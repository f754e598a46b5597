"""How a training step's time and the program's peak memory grow with width, depth, batch size and classes.

A Markdown table: one line for each size, the slope of the logarithms from the size before (1 is proportional, 2
quadratic), and what training is reckoned to hold. Images of noise: nothing is blank. The medians of a few rounds count.
--lines FILE writes what was found, a JSON object a line, from which `cargo run --example growth FILE PNG` draws the figure.
"""

import argparse
import json
import math
import statistics
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

# What varies, its sizes, the options of one size, and the slope of the dense work at large sizes.
AXES = [
    ("width, 2 layers", [250, 500, 1000, 2000, 4000, 8000], lambda n: [n, n], 2),
    ("depth, width 500", [1, 2, 4, 8, 16], lambda n: [500] * n, 1),
    ("batch size, 2×1000", [32, 128, 512, 2048], lambda n: [1000, 1000, "--batch-size", n], 1),
    ("classes, 2×1000", [2, 10, 100, 1000], lambda n: [1000, 1000, "--set", "network.label=prepend"], 0),
]
IMAGES = 2000


def noise(folder, classes):
    """An idx: folder of random images of 28×28, all classes among them."""
    random = Random(1)
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, IMAGES, 28, 28) + random.randbytes(IMAGES * 784))
        labels = bytes(row % classes for row in range(IMAGES)) if classes <= 256 else b"".join(
            struct.pack(">i", row % classes) for row in range(IMAGES)
        )
        kind = 0x801 if classes <= 256 else 0xC01
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", kind, IMAGES) + labels)


def bench(args, what, options, size):
    """Milliseconds of a step, images that are evaluated in a second, and bytes of memory: the peak and what is reckoned."""
    with tempfile.TemporaryDirectory() as folder:
        if what.startswith("classes"):
            noise(Path(folder), size)
            options = [*options, "--dataset", f"idx:{folder}"]
        command = [args.ff, "bench", *map(str, options), "--backend", "cpu", "--recipe", "baseline", "--steps", str(args.steps), "--json"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return {
        "milliseconds": found["milliseconds_per_step"]["median"],
        "evaluated": found["evaluation_images_per_second"],
        "peak": found["memory_bytes"]["peak"],
        "reckoned": found["memory_bytes"]["reckoned"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ff", default="target/release/ff", help="the program to measure")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=Path, help="write what was found here")
    args = parser.parse_args()
    rounds = []
    for _ in range(args.rounds):
        rounds.append([bench(args, what, options(size), size) for what, sizes, options, _ in AXES for size in sizes])
        print(f"round {len(rounds)} of {args.rounds}", file=sys.stderr, flush=True)
    medians = iter({key: statistics.median(line[key] for line in lines) for key in lines[0]} for lines in zip(*rounds))
    print("| what grows | size | step, ms | slope | of the work | evaluation, images/s | peak memory, MB | slope | reckoned, MB |\n|" + "---|" * 9)
    lines = []
    for what, sizes, _, theory in AXES:
        before = None
        for size in sizes:
            found = next(medians)
            slopes = ["", ""]
            if before:
                step = math.log(size / before[0])
                slopes = [f"{math.log(found[key] / before[1][key]) / step:.2f}" for key in ("milliseconds", "peak")]
            memory = [f"{found[key] / 1e6:.0f}" for key in ("peak", "reckoned")]
            print(
                f"| {what} | {size} | {found['milliseconds']:.3g} | {slopes[0]} | {theory} | {found['evaluated']:.0f} "
                f"| {memory[0]} | {slopes[1]} | {memory[1]} |"
            )
            lines.append(json.dumps({"what": what, "size": size, "theory": theory, **found}, ensure_ascii=False))
            before = (size, found)
    if args.lines:
        args.lines.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
