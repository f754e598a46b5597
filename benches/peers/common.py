"""What every peer shares: its options, the batches it sees, its first weights, and its one line of JSON."""

import argparse
import json
import platform
import time

import numpy as np

PIXELS = 784
CLASSES = 10
THRESHOLD = 2.0  # of `baseline`; the threshold of `hinton` is the layer's width
# A norm of 0 must not divide.
UNIT_EPSILON = 1e-8
RMS_TINY = 1e-30
# Of `hinton`: momentum, rates and weight decays of layers and head, peer normalization.
MOMENTUM = 0.9
HINTON_RATE, HINTON_DECAY = 0.01, 0.001
HEAD_RATE, HEAD_DECAY = 0.1, 0.003
PEER_STRENGTH, PEER_KEEP = 0.03, 0.9


def options(description, layers, batch_size):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--layers", type=int, nargs="+", default=layers, metavar="WIDTH")
    parser.add_argument("--batch-size", type=int, default=batch_size, help="positive rows; as many negative ones go with them")
    parser.add_argument("--steps", type=int, default=10, help="training steps in one timed run")
    parser.add_argument("--repeats", type=int, default=5, help="timed runs")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--precision", choices=["fp32", "tf32"], default="fp32", help="arithmetic of products on a GPU")
    return parser


def parse(parser):
    args = parser.parse_args()
    if args.device == "cpu" and args.precision == "tf32":
        parser.error("--precision tf32: a CPU has no tf32")
    return args


class Batches:
    """Noise of MNIST's shape and a plan: for each step the rows, their labels, and wrong labels."""

    def __init__(self, batch_size, steps, seed=1):
        random = np.random.default_rng(seed)
        count = 8 * batch_size
        self.images = random.integers(0, 256, (count, PIXELS), dtype=np.uint8)
        self.rows = random.integers(0, count, (steps, batch_size), dtype=np.int32)
        self.truth = random.integers(0, CLASSES, (steps, batch_size), dtype=np.int32)
        self.wrong = (self.truth + random.integers(1, CLASSES, self.truth.shape, dtype=np.int32)) % CLASSES
        self.uniforms = random.random(self.truth.shape, dtype=np.float32)


def first_weights(layers, seed=2):
    """Normal weights of variance 1 / fan-in, float32, and biases of 0."""
    random = np.random.default_rng(seed)
    sizes = zip([PIXELS, *layers[:-1]], layers)
    return [
        ((random.standard_normal(size) / np.sqrt(size[0])).astype(np.float32), np.zeros(size[1], np.float32))
        for size in sizes
    ]


def milliseconds_per_step(run, steps, repeats):
    """Times `run`, which does `steps` steps and waits for the device; its first call only warms up."""
    run()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append((time.perf_counter() - began) * 1e3 / steps)
    return times


def report(peer, device, args, times):
    times = sorted(times)
    line = {
        "peer": peer,
        "device": device,
        "precision": args.precision,
        "layer_sizes": args.layers,
        "batch_size": args.batch_size,
        "steps": args.steps,
        "milliseconds_per_step": {"min": times[0], "median": times[len(times) // 2], "max": times[-1]},
    }
    print(json.dumps(line))


def processor():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
