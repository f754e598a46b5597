"""Real epochs on MNIST in PyTorch: recipe `baseline` with label iteration, or recipe `hinton` with its head. One line of
JSON: seconds of training and of evaluation of every epoch, and the accuracies.
"""

import common
import mnist
import torch
from torch_baseline import Baseline, on_device, unit
from torch_hinton import Hinton


@torch.no_grad()
def by_energy(network, images):
    """The label of the largest sum of squares over all layers but the first."""
    x, energies = images.float() / 255, []
    for label in range(common.CLASSES):
        x[:, : common.CLASSES] = 0
        x[:, label] = 1
        z, energy = unit(x, (x * x).sum(1, keepdim=True)), 0
        for layer, (w, b) in enumerate(network.layers):
            h = torch.addmm(b, z, w).relu_()
            squares = (h * h).sum(1, keepdim=True)
            energy += squares[:, 0] if layer > 0 else 0
            z = unit(h, squares)
        energies.append(energy)
    return torch.stack(energies).argmax(0)


def train(args):
    """All epochs; prints their line of JSON."""
    # As JAX does by itself: moments that decay would become subnormal, which a processor is slow at.
    torch.set_flush_denormal(True)
    device, _ = on_device(args)
    network = {"baseline": Baseline, "hinton": Hinton}[args.work](common.first_weights(args.layers), device)
    on_device_once = []

    def epoch(images, plan, rate):
        if not on_device_once:
            on_device_once.append(torch.tensor(images, device=device))
        rows, truth, wrong, uniforms = (torch.tensor(part, device=device) for part in plan)
        for batch in zip(rows, truth.long(), wrong.long(), uniforms):
            if args.work == "hinton":
                network.step(on_device_once[0], batch[0], batch[1], batch[3], rate)
            else:
                network.step(on_device_once[0], *batch[:3])
        if args.device == "gpu":
            torch.cuda.synchronize()

    def recognize(images):
        images = torch.tensor(images, device=device)
        labels = network.recognize(images) if args.work == "hinton" else by_energy(network, images)
        return labels.cpu().numpy()

    mnist.run("PyTorch", args, epoch, recognize)


if __name__ == "__main__":
    train(mnist.parse(mnist.options(__doc__.splitlines()[0], [2000] * 4)))
