"""MNIST for peers that train real epochs: its IDX files, an epoch's batches, and the loop that times both halves."""

import gzip
import json
import os
import time
from pathlib import Path

import numpy as np

import common

# Images that are recognized at a time.
EVALUATED = 1000


def options(description, layers):
    parser = common.options(description, layers, 128)
    parser.add_argument("--work", choices=["baseline", "hinton"], default="baseline", help="the recipe whose step it is")
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("FF_DATA_DIR"), help="folder of MNIST's IDX files")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="of the batches and their wrong labels")
    parser.add_argument("--until", type=float, default=2.0, metavar="ACCURACY", help="stop at this accuracy of the test set")
    return parser


def parse(parser):
    args = common.parse(parser)
    if args.data_dir is None:
        parser.error("--data-dir: MNIST's folder is needed, or FF_DATA_DIR")
    return args


def idx(folder, name):
    """An IDX file of bytes, packed or not: one row for each image or label."""
    path = folder / name
    data = gzip.open(f"{path}.gz").read() if not path.exists() else path.read_bytes()
    sizes = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sizes[0], -1)


class Mnist:
    def __init__(self, folder):
        read = lambda part: [idx(folder, f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")]
        (self.images, labels), (self.tests, truth) = read("train"), read("t10k")
        self.labels, self.truth = labels[:, 0].astype(np.int32), truth[:, 0]

    def plan(self, random, batch_size):
        """An epoch: rows, labels, wrong labels and uniform numbers, each of shape (steps, batch size)."""
        steps = len(self.images) // batch_size
        rows = random.permutation(len(self.images))[: steps * batch_size].astype(np.int32)
        right = self.labels[rows]
        wrong = (right + random.integers(1, common.CLASSES, right.shape, dtype=np.int32)) % common.CLASSES
        parts = rows, right, wrong, random.random(rows.shape, dtype=np.float32)
        return [part.reshape(steps, batch_size) for part in parts]


def cooldown(epoch, epochs):
    """The official schedule: the whole rate for half of the epochs, then down along a line."""
    return min(1.0, (1 + 2 * (epochs - epoch)) / epochs)


def run(peer, args, train, recognize):
    """`train(images, plan, rate)` does an epoch, `recognize(images)` gives labels; both wait for the device. Prints JSON."""
    data = Mnist(args.data_dir)
    random = np.random.default_rng(args.seed)
    seconds, accuracies = {"train": [], "eval": []}, []
    for epoch in range(1, args.epochs + 1):
        plan = data.plan(random, args.batch_size)
        began = time.perf_counter()
        train(data.images, plan, cooldown(epoch, args.epochs) if args.work == "hinton" else 1.0)
        trained = time.perf_counter()
        labels = np.concatenate([recognize(part) for part in np.split(data.tests, len(data.tests) // EVALUATED)])
        seconds["eval"].append(time.perf_counter() - trained)
        seconds["train"].append(trained - began)
        accuracies.append(float(np.mean(labels == data.truth)))
        if accuracies[-1] >= args.until:
            break
    print(json.dumps({"peer": peer, "layer_sizes": args.layers, "seconds": seconds, "accuracy": accuracies}))
