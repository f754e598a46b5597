"""How a training step's time and the program's peak memory grow with width, depth and batch size.

One line for each size, and the slope of the logarithms between the last two sizes: 1 is proportional, 2 quadratic.
Images of noise: nothing is silent, so that it is the dense work that grows.
"""

import argparse
import json
import math
import subprocess
import tempfile

# What varies, its sizes, the options of one size, and the slope of the dense work at large sizes.
AXES = [
    ("width, 2 layers", [250, 500, 1000, 2000, 4000, 8000], lambda n: [n, n], 2),
    ("depth, width 500", [1, 2, 4, 8, 16], lambda n: [500] * n, 1),
    ("batch size, 2×1000", [32, 128, 512, 2048], lambda n: [1000, 1000, "--batch-size", n], 1),
]


def bench(ff, arguments, steps):
    """Milliseconds of a step and the peak of resident memory in MB."""
    with tempfile.NamedTemporaryFile("r") as peak:
        command = ["/usr/bin/env", "time", "--format=%M", "--output", peak.name]
        command += [ff, "bench", *map(str, arguments), "--backend", "cpu", "--recipe", "baseline", "--steps", str(steps), "--json"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout)["milliseconds_per_step"]["median"], int(peak.read()) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ff", default="target/release/ff", help="the program to measure")
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args()
    print("| what grows | size | step, ms | slope | of the work | peak memory, MB | slope |\n|" + "---|" * 7)
    for what, sizes, options, theory in AXES:
        before = None
        for size in sizes:
            found = bench(args.ff, options(size), args.steps)
            slopes = ["", ""]
            if before:
                step = math.log(size / before[0])
                slopes = [f"{math.log(now / then) / step:.2f}" for now, then in zip(found, before[1])]
            print(f"| {what} | {size} | {found[0]:.3g} | {slopes[0]} | {theory} | {found[1]:.0f} | {slopes[1]} |", flush=True)
            before = (size, found)


if __name__ == "__main__":
    main()
