"""Real epochs on MNIST in JAX, `lax.scan` over an epoch's batches: recipe `baseline` with label iteration, or recipe
`hinton` with its head. One line of JSON: seconds of training and of evaluation of every epoch, and the accuracies.
"""

import os

import mnist

if __name__ == "__main__":
    parser = mnist.options(__doc__.splitlines()[0], [2000] * 4)
    parser.add_argument("--style", choices=["fast", "original"], default="fast", help="of `baseline`: see jax_baseline.py")
    args = mnist.parse(parser)
    # Read when JAX is imported.
    os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda"}[args.device]

import jax
import jax.numpy as jnp
import numpy as np

import common
import jax_baseline
import jax_hinton
from jax_baseline import overlay, pixels, unit


@jax.jit
def by_energy(parameters, images):
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
    weights = common.first_weights(args.layers)
    if args.work == "hinton":
        state, evaluate = jax_hinton.start(weights), lambda state, images: jax_hinton.recognize(state, images)
    else:
        state, evaluate = jax_baseline.start(weights), lambda state, images: by_energy(state[0], images)
    on_device = None

    def train(images, plan, rate):
        nonlocal state, on_device
        on_device = jnp.asarray(images) if on_device is None else on_device
        rows, truth, wrong, uniforms = (jnp.asarray(part) for part in plan)
        if args.work == "hinton":
            state, _ = jax_hinton.steps(on_device, jnp.float32(rate), state, (rows, truth, uniforms))
        else:
            steps = {"fast": jax_baseline.fast_steps, "original": jax_baseline.original_steps}[args.style]
            state, _ = steps(on_device, state, (rows, truth, wrong))
        jax.block_until_ready(state)

    with jax.default_matmul_precision({"fp32": "highest", "tf32": "tensorfloat32"}[args.precision]):
        mnist.run("JAX", args, train, lambda images: np.asarray(evaluate(state, jnp.asarray(images))))


if __name__ == "__main__":
    main()
