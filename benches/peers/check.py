"""Checks that the peers do what they are measured for: three steps of each against numpy in f64.

Losses and parameters after the last step must agree. PyTorch is left out, visibly, where it is missing.
"""

import sys

import numpy as np

import common

LAYERS = [48, 32, 40]
BATCH_SIZE = 16
STEPS = 3
# Relative to the largest number of a tensor. Float32 has 1 - 0.999 to 3e-5 only, and Adam divides by it.
TOLERANCE = 1e-4


def overlay(x, label_features):
    x = x.copy()
    x[:, : common.CLASSES] = label_features
    return x


def one_hot(labels):
    return np.eye(common.CLASSES)[labels]


def unit(x):
    return x / np.sqrt((x * x).sum(1, keepdims=True) + common.UNIT_EPSILON)


def rms(x):
    return x / (common.RMS_TINY + np.sqrt((x * x).mean(1, keepdims=True)))


def softplus(x):
    return np.logaddexp(0, x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def in_f64(layers):
    return [[w.astype(float), b.astype(float)] for w, b in layers]


class Adam:
    def __init__(self, parameters):
        self.first = [np.zeros_like(p) for p in parameters]
        self.second = [np.zeros_like(p) for p in parameters]
        self.count = 0

    def step(self, parameters, gradients):
        self.count += 1
        for p, g, m, v in zip(parameters, gradients, self.first, self.second):
            m[:] = 0.9 * m + 0.1 * g
            v[:] = 0.999 * v + 0.001 * g * g
            p -= 0.001 * (m / (1 - 0.9**self.count)) / (np.sqrt(v / (1 - 0.999**self.count)) + 1e-8)


def layer_gradient(w, b, positive, negative, threshold):
    """Loss, activities and the gradients of w and b for one layer."""
    loss, g_w, g_b, hidden = 0.0, 0.0, 0.0, []
    for z, sign in ((positive, 1), (negative, -1)):
        h = np.maximum(0, z @ w + b)
        logit = sign * ((h * h).sum(1, keepdims=True) - threshold)
        loss += softplus(-logit).mean()
        delta = -sign * sigmoid(-logit) / len(z) * 2 * h
        g_w, g_b = g_w + z.T @ delta, g_b + delta.sum(0)
        hidden.append(h)
    return loss, hidden, g_w, g_b


def numpy_baseline(batches):
    layers = in_f64(common.first_weights(LAYERS))
    adams = [Adam(layer) for layer in layers]
    for rows, truth, wrong in zip(batches.rows, batches.truth, batches.wrong):
        x = batches.images[rows] / 255
        z = [unit(overlay(x, one_hot(labels))) for labels in (truth, wrong)]
        losses = []
        for layer, adam in zip(layers, adams):
            loss, hidden, *gradients = layer_gradient(*layer, *z, common.THRESHOLD)
            losses.append(loss)
            adam.step(layer, gradients)
            z = [unit(h) for h in hidden]
    return losses, layers


def numpy_original(batches):
    layers = in_f64(common.first_weights(LAYERS))
    everything = [p for layer in layers for p in layer]
    adam = Adam(everything)
    for rows, truth, wrong in zip(batches.rows, batches.truth, batches.wrong):
        x = batches.images[rows] / 255
        z = [overlay(x, one_hot(labels)) for labels in (truth, wrong)]
        losses = []
        for index, (w, b) in enumerate(layers):
            loss, _, g_w, g_b = layer_gradient(w, b, *z, common.THRESHOLD)
            losses.append(loss)
            gradients = [np.zeros_like(p) for p in everything]
            gradients[2 * index : 2 * index + 2] = g_w, g_b
            adam.step(everything, gradients)
            z = [unit(np.maximum(0, part @ w + b)) for part in z]
    return losses, layers


def numpy_hinton(batches, drawn):
    """`drawn` holds the wrong labels of each step; a label drawn here is compared with them first."""
    layers = in_f64(common.first_weights(LAYERS))
    velocities = [[np.zeros_like(p) for p in layer] for layer in layers]
    means = [np.full(width, 0.5) for width in LAYERS]
    head = [np.zeros((width, common.CLASSES)) for width in LAYERS[1:]]
    head_velocities = [np.zeros_like(s) for s in head]
    differing = 0
    for rows, truth, uniforms, wrong in zip(batches.rows, batches.truth, batches.uniforms, drawn):
        x = batches.images[rows] / 255
        z, hidden = rms(overlay(x, 1 / common.CLASSES)), []
        for w, b in layers:
            z = rms(np.maximum(0, z @ w + b))
            hidden.append(z)
        logits = sum(z @ s for z, s in zip(hidden[1:], head))
        chances = np.exp(logits - logits.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        errors = (chances - one_hot(truth)) / len(x)
        for z, s, v in zip(hidden[1:], head, head_velocities):
            v[:] = 0.9 * v - 0.1 * z.T @ errors
            s += 0.1 * (v - 0.003 * s)
        for r, (row, y) in enumerate(zip(chances, truth)):
            row[y] = 0
            label = int(np.searchsorted(np.cumsum(row), uniforms[r] * row.sum(), side="right"))
            differing += label != wrong[r]

        z = [rms(overlay(x, one_hot(labels))) for labels in (truth, wrong)]
        losses = []
        for (w, b), (v_w, v_b), mean in zip(layers, velocities, means):
            loss, hidden, g_w, g_b = layer_gradient(w, b, *z, len(b))
            losses.append(loss)
            mean[:] = 0.9 * mean + 0.1 * hidden[0].mean(0)
            pull = 0.03 / len(x) * (mean.mean() - mean)
            # Steps along h, not along 2 h.
            g_w, g_b = g_w / 2 - np.outer(z[0].sum(0), pull), g_b / 2 - len(x) * pull
            v_w[:] = 0.9 * v_w - 0.1 * g_w
            v_b[:] = 0.9 * v_b - 0.1 * g_b
            w += 0.01 * (v_w - 0.001 * w)
            b += 0.01 * v_b
            z = [rms(h) for h in hidden]
    assert differing == 0, f"{differing} wrong labels were drawn differently"
    return losses, layers


def jax_peer(batches, style):
    import jax
    import jax.numpy as jnp

    import jax_baseline

    plan = tuple(jnp.asarray(part) for part in (batches.rows, batches.truth, batches.wrong))
    state = jax_baseline.start(common.first_weights(LAYERS))
    steps = {"fast": jax_baseline.fast_steps, "original": jax_baseline.original_steps}[style]
    with jax.default_matmul_precision("highest"):
        (layers, *_), losses = steps(jnp.asarray(batches.images), state, plan)
    return losses[-1], layers


def jax_hinton_peer(batches):
    import jax
    import jax.numpy as jnp

    import jax_hinton

    plan = tuple(jnp.asarray(part) for part in (batches.rows, batches.truth, batches.uniforms))
    with jax.default_matmul_precision("highest"):
        (layers, *_), (losses, drawn) = jax_hinton.steps(
            jnp.asarray(batches.images), jnp.float32(1), jax_hinton.start(common.first_weights(LAYERS)), plan
        )
    return (losses[-1], layers), np.asarray(drawn)


def torch_peer(batches):
    import torch
    from torch_baseline import Baseline

    network = Baseline(common.first_weights(LAYERS), "cpu")
    plan = [torch.tensor(part).long() for part in (batches.rows, batches.truth, batches.wrong)]
    for batch in zip(*plan):
        losses = network.step(torch.tensor(batches.images), *batch)
    return losses, network.layers


def torch_hinton_peer(batches):
    import torch
    from torch_hinton import Hinton

    network = Hinton(common.first_weights(LAYERS), "cpu")
    drawn = []
    for rows, truth, uniforms in zip(batches.rows, batches.truth, batches.uniforms):
        batch = torch.tensor(rows), torch.tensor(truth).long(), torch.tensor(uniforms)
        losses, wrong = network.step(torch.tensor(batches.images), *batch)
        drawn.append(wrong.numpy())
    return (losses, network.layers), drawn


def difference(got, expected):
    """The largest difference of any tensor, relative to its largest number."""
    (losses, layers), (true_losses, true_layers) = got, expected
    pairs = [(losses, true_losses)]
    pairs += [(p, q) for layer, true_layer in zip(layers, true_layers) for p, q in zip(layer, true_layer)]
    return max(
        float(np.abs(np.asarray(p, float) - np.asarray(q)).max() / np.abs(np.asarray(q)).max()) for p, q in pairs
    )


def main():
    batches = common.Batches(BATCH_SIZE, STEPS)
    found = {
        "JAX": difference(jax_peer(batches, "fast"), numpy_baseline(batches)),
        "JAX, original style": difference(jax_peer(batches, "original"), numpy_original(batches)),
    }
    got, drawn = jax_hinton_peer(batches)
    found["JAX, hinton"] = difference(got, numpy_hinton(batches, drawn))
    try:
        import torch  # noqa: F401
    except ImportError as error:
        print(f"SKIPPED: PyTorch ({error})")
    else:
        found["PyTorch"] = difference(torch_peer(batches), numpy_baseline(batches))
        got, drawn = torch_hinton_peer(batches)
        found["PyTorch, hinton"] = difference(got, numpy_hinton(batches, drawn))
    failed = False
    for name, worst in found.items():
        bad = not worst <= TOLERANCE  # a NaN is bad too
        failed |= bad
        print(f"{'FAILED' if bad else 'ok':6}  {name}: largest difference {worst:.1e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
