"""The step of recipe `hinton` in PyTorch: a neutral pass with the head, then positive and negative rows.

The negatives are hard: their labels are drawn from what the head makes of the neutral pass.
"""

import common
import torch
from common import HEAD_DECAY, HEAD_RATE, MOMENTUM, PEER_KEEP, PEER_STRENGTH
from common import HINTON_DECAY as DECAY
from common import HINTON_RATE as RATE
from torch.nn.functional import one_hot, softplus
from torch_baseline import on_device



class Hinton:
    def __init__(self, layers, device):
        tensor = lambda values: torch.tensor(values, device=device)
        self.layers = [(tensor(w), tensor(b)) for w, b in layers]
        self.velocities = [(torch.zeros_like(w), torch.zeros_like(b)) for w, b in self.layers]
        self.means = [torch.full_like(b, 0.5) for _, b in self.layers]
        # The head reads all layers but the first.
        self.head = [torch.zeros(len(b), common.CLASSES, device=device) for _, b in self.layers[1:]]
        self.head_velocities = [torch.zeros_like(s) for s in self.head]

    @torch.no_grad()
    def step(self, images, rows, truth, uniforms, scale=1.0):
        """The head, then every layer, both learning rates times `scale`. Returns each layer's loss and the wrong labels
        that were drawn.
        """
        x = images[rows].float() / 255
        wrong = self.learn_head(x, truth, uniforms, scale)
        return self.learn_layers(x, truth, wrong, scale), wrong

    @torch.no_grad()
    def recognize(self, images):
        return self.neutral(images.float() / 255)[1].argmax(1)

    def neutral(self, x):
        """What the head reads, and its logits."""
        x = x.clone()
        x[:, : common.CLASSES] = 1 / common.CLASSES
        z, hidden = rms(x), []
        for w, b in self.layers:
            z = rms(torch.addmm(b, z, w).relu_())
            hidden.append(z)
        return hidden[1:], sum(z @ s for z, s in zip(hidden[1:], self.head))

    def learn_head(self, x, truth, uniforms, scale):
        hidden, logits = self.neutral(x)
        chances = torch.softmax(logits, 1)
        truth_row = one_hot(truth, common.CLASSES)
        errors = (chances - truth_row) / len(x)
        for z, s, velocity in zip(hidden, self.head, self.head_velocities):
            follow(s, velocity, z.T, errors, scale * HEAD_RATE, HEAD_DECAY)
        chances = chances * (1 - truth_row)
        sums = torch.cumsum(chances, 1)
        drawn = (sums <= uniforms[:, None] * sums[:, -1:]).sum(1)
        # Rounding may leave no label to draw.
        return torch.where(drawn < common.CLASSES, drawn, (truth + 1) % common.CLASSES)

    def learn_layers(self, x, truth, wrong, scale):
        pairs = len(x)
        x = x.repeat(2, 1)
        x[:, : common.CLASSES] = one_hot(torch.cat([truth, wrong]), common.CLASSES)
        sign = torch.ones(2 * pairs, 1, device=x.device)
        sign[pairs:] = -1
        z, losses = rms(x), []
        for (w, b), (velocity, bias_velocity), mean in zip(self.layers, self.velocities, self.means):
            h = torch.addmm(b, z, w).relu_()
            next_z = rms(h)
            logits = sign * ((h * h).sum(1, keepdim=True) - len(b))
            losses.append(softplus(-logits).sum() / pairs)
            # The official code steps along h, not along 2 h.
            delta = (-1 / pairs) * sign * torch.sigmoid(-logits) * h
            mean.mul_(PEER_KEEP).add_(h[:pairs].mean(0), alpha=1 - PEER_KEEP)
            delta[:pairs] -= PEER_STRENGTH / pairs * (mean.mean() - mean)
            follow(w, velocity, z.T, delta, scale * RATE, DECAY)
            bias_velocity.mul_(MOMENTUM).sub_(delta.sum(0), alpha=1 - MOMENTUM)
            b.add_(bias_velocity, alpha=scale * RATE)
            z = next_z
        return torch.stack(losses)


def rms(x):
    return x / (common.RMS_TINY + x.square().mean(1, keepdim=True).sqrt())


def follow(w, velocity, left, right, rate, decay):
    """The momentum rule, the gradient left · right added to the velocity by the product itself."""
    velocity.addmm_(left, right, beta=MOMENTUM, alpha=MOMENTUM - 1)
    w.mul_(1 - rate * decay).add_(velocity, alpha=rate)


def main():
    args = common.parse(common.options(__doc__.splitlines()[0], [1000] * 3, 100))
    device, name = on_device(args)
    batches = common.Batches(args.batch_size, args.steps)
    images = torch.tensor(batches.images, device=device)
    plan = [torch.tensor(part, device=device) for part in (batches.rows, batches.truth, batches.uniforms)]
    plan[1] = plan[1].long()
    network = Hinton(common.first_weights(args.layers), device)

    def run():
        for batch in zip(*plan):
            network.step(images, *batch)
        if args.device == "gpu":
            torch.cuda.synchronize()

    times = common.milliseconds_per_step(run, args.steps, args.repeats)
    common.report("PyTorch", name, args, times)


if __name__ == "__main__":
    main()
