"""The step of recipe `baseline` in JAX.

`--style fast` (the default) is JAX at its best: positive and negative rows stacked into one forward pass,
gradients by hand from the activities of that pass, one `lax.scan` over all steps inside one jit, buffers
donated. `--style original` does the work as the toolkit did that this one follows: two forward passes a
layer, gradients by autodiff, one Adam over the parameters of all layers that is stepped once per layer, each
layer updated before the next one sees the batch, one call a batch.
"""

import os
from functools import partial

import common

if __name__ == "__main__":
    parser = common.options(__doc__.splitlines()[0], [2000] * 4, 128)
    parser.add_argument("--style", choices=["fast", "original"], default="fast")
    args = common.parse(parser)
    # Read when JAX is imported.
    os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda"}[args.device]

import jax
import jax.numpy as jnp

BETA1, BETA2, EPSILON, RATE = 0.9, 0.999, 1e-8, 0.001


def overlay(x, labels):
    """The first pixels replaced by the label."""
    return x.at[:, : common.CLASSES].set(jax.nn.one_hot(labels, common.CLASSES))


def pixels(images, rows):
    return images[rows].astype(jnp.float32) / 255


def unit(x, squares):
    return x / jnp.sqrt(squares + common.UNIT_EPSILON)


def adam(parameters, first, second, gradients, step):
    """One step over any tree of parameters; `step` counts from 1."""
    tree = jax.tree.map
    first = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
    second = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
    rate, root = RATE / (1 - BETA1**step), jax.lax.rsqrt(1 - BETA2**step)
    parameters = tree(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * root + EPSILON), parameters, first, second)
    return parameters, first, second


def start(layers):
    parameters = [(jnp.asarray(w), jnp.asarray(b)) for w, b in layers]
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    return parameters, zeros(), zeros(), jnp.float32(0)


def fast_step(images, state, batch):
    """All layers from one forward pass. Returns the new state and each layer's loss."""
    rows, truth, wrong = batch
    parameters, first, second, step = state
    pairs = rows.shape[0]
    sign = jnp.concatenate([jnp.ones((pairs, 1)), -jnp.ones((pairs, 1))])
    x = pixels(images, rows)
    x = jnp.concatenate([overlay(x, truth), overlay(x, wrong)])
    z = unit(x, jnp.sum(x * x, axis=1, keepdims=True))
    gradients, losses = [], []
    for w, b in parameters:
        h = jax.nn.relu(z @ w + b)
        squares = jnp.sum(h * h, axis=1, keepdims=True)
        logits = sign * (squares - common.THRESHOLD)
        losses.append(jnp.sum(jax.nn.softplus(-logits)) / pairs)
        delta = (-2 / pairs) * sign * jax.nn.sigmoid(-logits) * h
        gradients.append((z.T @ delta, jnp.sum(delta, axis=0)))
        z = unit(h, squares)
    parameters, first, second = adam(parameters, first, second, gradients, step + 1)
    return (parameters, first, second, step + 1), jnp.stack(losses)


@partial(jax.jit, donate_argnums=1)
def fast_steps(images, state, plan):
    return jax.lax.scan(partial(fast_step, images), state, plan)


def goodness(parameters, z):
    w, b = parameters
    h = jax.nn.relu(z @ w + b)
    return h, jnp.sum(h * h, axis=1, keepdims=True)


def layer_loss(parameters, layer, positive, negative):
    """The loss of one layer, differentiated with respect to all."""
    pull = goodness(parameters[layer], positive)[1] - common.THRESHOLD
    push = goodness(parameters[layer], negative)[1] - common.THRESHOLD
    return jnp.mean(jax.nn.softplus(-pull)) + jnp.mean(jax.nn.softplus(push))


@partial(jax.jit, donate_argnums=1)
def original_step(images, state, batch):
    rows, truth, wrong = batch
    parameters, first, second, step = state
    x = pixels(images, rows)
    positive, negative = overlay(x, truth), overlay(x, wrong)
    losses = []
    for layer in range(len(parameters)):
        loss, gradients = jax.value_and_grad(layer_loss)(parameters, layer, positive, negative)
        losses.append(loss)
        step += 1
        parameters, first, second = adam(parameters, first, second, gradients, step)
        positive, negative = (unit(*goodness(parameters[layer], z)) for z in (positive, negative))
    return (parameters, first, second, step), jnp.stack(losses)


def original_steps(images, state, plan):
    losses = []
    for batch in zip(*plan):
        state, loss = original_step(images, state, batch)
        losses.append(loss)
    return state, losses


def main():
    precision = {"fp32": "highest", "tf32": "tensorfloat32"}[args.precision]
    batches = common.Batches(args.batch_size, args.steps)
    with jax.default_matmul_precision(precision):
        images = jnp.asarray(batches.images)
        plan = tuple(jnp.asarray(part) for part in (batches.rows, batches.truth, batches.wrong))
        state = start(common.first_weights(args.layers))
        steps = {"fast": fast_steps, "original": original_steps}[args.style]

        def run():
            nonlocal state
            state, _ = steps(images, state, plan)
            jax.block_until_ready(state)

        times = common.milliseconds_per_step(run, args.steps, args.repeats)
    device = jax.devices()[0]
    name = common.processor() if device.platform == "cpu" else device.device_kind
    common.report({"fast": "JAX", "original": "JAX, original style"}[args.style], name, args, times)


if __name__ == "__main__":
    main()
