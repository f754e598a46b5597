"""Real epochs of recipe `baseline` in JAX: MNIST on the device, `lax.scan` over an epoch's batches, then the test set by
label iteration. One line of JSON: seconds of training and of evaluation of every epoch, and the accuracies.
"""

import gzip
import json
import os
import time
from pathlib import Path

import common

if __name__ == "__main__":
    parser = common.options(__doc__.splitlines()[0], [2000] * 4, 128)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("FF_DATA_DIR"), help="folder of MNIST's IDX files")
    parser.add_argument("--epochs", type=int, default=3)
    args = common.parse(parser)
    if args.data_dir is None:
        parser.error("--data-dir: MNIST's folder is needed, or FF_DATA_DIR")
    # Read when JAX is imported.
    os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda"}[args.device]

import jax
import jax.numpy as jnp
import numpy as np

from jax_baseline import fast_steps, overlay, pixels, start, unit

# Images that are recognized at a time, ten rows each.
EVALUATED = 1000


def idx(folder, name):
    """An IDX file of bytes, packed or not."""
    path = folder / name
    data = gzip.open(f"{path}.gz").read() if not path.exists() else path.read_bytes()
    sizes = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sizes[0], -1)


@jax.jit
def recognize(parameters, images):
    """The label of the largest sum of squares over all layers but the first."""

    def energy(label):
        x = overlay(pixels(images, slice(None)), jnp.full(images.shape[0], label))
        z, sums = unit(x, jnp.sum(x * x, axis=1, keepdims=True)), 0
        for layer, (w, b) in enumerate(parameters):
            h = jax.nn.relu(z @ w + b)
            squares = jnp.sum(h * h, axis=1, keepdims=True)
            sums += squares[:, 0] if layer > 0 else 0
            z = unit(h, squares)
        return sums

    return jnp.argmax(jnp.stack([energy(label) for label in range(common.CLASSES)]), axis=0)


def main():
    random = np.random.default_rng(1)
    images, labels = (idx(args.data_dir, f"train-{kind}-ubyte") for kind in ["images-idx3", "labels-idx1"])
    tests, truth = (idx(args.data_dir, f"t10k-{kind}-ubyte") for kind in ["images-idx3", "labels-idx1"])
    steps = len(images) // args.batch_size
    images, state = jnp.asarray(images), start(common.first_weights(args.layers))
    seconds = {"train": [], "eval": []}
    accuracies = []
    with jax.default_matmul_precision({"fp32": "highest", "tf32": "tensorfloat32"}[args.precision]):
        for _ in range(args.epochs):
            rows = random.permutation(len(images))[: steps * args.batch_size].astype(np.int32)
            right = labels[rows, 0].astype(np.int32)
            wrong = (right + random.integers(1, common.CLASSES, right.shape, dtype=np.int32)) % common.CLASSES
            plan = tuple(jnp.asarray(part.reshape(steps, -1)) for part in (rows, right, wrong))
            began = time.perf_counter()
            state, _ = fast_steps(images, state, plan)
            jax.block_until_ready(state)
            trained = time.perf_counter()
            parts = [recognize(state[0], jnp.asarray(part)) for part in np.split(tests, len(tests) // EVALUATED)]
            accuracies.append(float(np.mean(np.concatenate(parts) == truth[:, 0])))
            seconds["train"].append(trained - began)
            seconds["eval"].append(time.perf_counter() - trained)
    print(json.dumps({"peer": "JAX", "layer_sizes": args.layers, "seconds": seconds, "accuracy": accuracies}))


if __name__ == "__main__":
    main()
