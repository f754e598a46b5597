"""The step of recipe `hinton` in JAX: a neutral pass with the head, then positive and negative rows, in one jit over
all steps. The negatives are hard: their labels are drawn from what the head makes of the neutral pass.
"""

from functools import partial

import common
import jax
import jax.numpy as jnp
from common import HEAD_DECAY, HEAD_RATE, MOMENTUM, PEER_KEEP, PEER_STRENGTH
from common import HINTON_DECAY as DECAY
from common import HINTON_RATE as RATE


def rms(x):
    return x / (common.RMS_TINY + jnp.sqrt(jnp.mean(x * x, axis=1, keepdims=True)))


def start(layers):
    layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in layers]
    velocities = jax.tree.map(jnp.zeros_like, layers)
    means = [jnp.full_like(b, 0.5) for _, b in layers]
    # The head reads all layers but the first.
    head = [jnp.zeros((len(b), common.CLASSES)) for _, b in layers[1:]]
    return layers, velocities, means, head, [jnp.zeros_like(s) for s in head]


def neutral(layers, head, x):
    """What the head reads, and its logits."""
    z, hidden = rms(x.at[:, : common.CLASSES].set(1 / common.CLASSES)), []
    for w, b in layers:
        z = rms(jax.nn.relu(z @ w + b))
        hidden.append(z)
    return hidden[1:], sum(z @ s for z, s in zip(hidden[1:], head))


def follow(w, velocity, gradient, rate, decay):
    velocity = MOMENTUM * velocity - (1 - MOMENTUM) * gradient
    return w * (1 - rate * decay) + rate * velocity, velocity


def step(images, scale, state, batch):
    """Returns the new state, and each layer's loss with the wrong labels that were drawn."""
    layers, velocities, means, head, head_velocities = state
    rows, truth, uniforms = batch
    x = images[rows].astype(jnp.float32) / 255
    pairs, truth_row = rows.shape[0], jax.nn.one_hot(truth, common.CLASSES)

    hidden, logits = neutral(layers, head, x)
    chances = jax.nn.softmax(logits, axis=1)
    errors = (chances - truth_row) / pairs
    moved = [follow(s, v, z.T @ errors, scale * HEAD_RATE, HEAD_DECAY) for s, v, z in zip(head, head_velocities, hidden)]
    head, head_velocities = [s for s, _ in moved], [v for _, v in moved]
    sums = jnp.cumsum(chances * (1 - truth_row), axis=1)
    drawn = jnp.sum(sums <= uniforms[:, None] * sums[:, -1:], axis=1)
    # Rounding may leave no label to draw.
    wrong = jnp.where(drawn < common.CLASSES, drawn, (truth + 1) % common.CLASSES)

    sign = jnp.concatenate([jnp.ones((pairs, 1)), -jnp.ones((pairs, 1))])
    both = jnp.concatenate([truth_row, jax.nn.one_hot(wrong, common.CLASSES)])
    z, losses = rms(jnp.concatenate([x, x]).at[:, : common.CLASSES].set(both)), []
    for i, ((w, b), (velocity, bias_velocity), mean) in enumerate(zip(layers, velocities, means)):
        h = jax.nn.relu(z @ w + b)
        logits = sign * (jnp.sum(h * h, axis=1, keepdims=True) - len(b))
        losses.append(jnp.sum(jax.nn.softplus(-logits)) / pairs)
        # The official code steps along h, not along 2 h.
        delta = (-1 / pairs) * sign * jax.nn.sigmoid(-logits) * h
        means[i] = mean = PEER_KEEP * mean + (1 - PEER_KEEP) * jnp.mean(h[:pairs], axis=0)
        delta = delta.at[:pairs].add(-PEER_STRENGTH / pairs * (jnp.mean(mean) - mean))
        w, velocity = follow(w, velocity, z.T @ delta, scale * RATE, DECAY)
        b, bias_velocity = follow(b, bias_velocity, jnp.sum(delta, axis=0), scale * RATE, 0)
        layers[i], velocities[i] = (w, b), (velocity, bias_velocity)
        z = rms(h)
    return (layers, velocities, means, head, head_velocities), (jnp.stack(losses), wrong)


@partial(jax.jit, donate_argnums=2)
def steps(images, scale, state, plan):
    """All steps of a plan, with both learning rates times `scale`."""
    return jax.lax.scan(partial(step, images, scale), state, plan)


@jax.jit
def recognize(state, images):
    layers, _, _, head, _ = state
    return jnp.argmax(neutral(layers, head, images.astype(jnp.float32) / 255)[1], axis=1)
