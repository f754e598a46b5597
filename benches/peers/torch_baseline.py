"""The step of recipe `baseline` in PyTorch: stacked rows, gradients by hand, one fused Adam over all layers.

On a GPU, `--graph` records the step once as a CUDA graph and plays it back, so that launches cost nothing.
"""

import common
import torch
from torch.nn.functional import one_hot, softplus


class Baseline:
    def __init__(self, layers, device, graph=False):
        tensor = lambda values: torch.tensor(values, device=device)
        self.layers = [(tensor(w), tensor(b)) for w, b in layers]
        parameters = [p for layer in self.layers for p in layer]
        for p in parameters:
            p.grad = torch.zeros_like(p)
        # All layers learn from one forward pass, so one optimizer's step is each layer's step.
        self.adam = torch.optim.Adam(parameters, lr=0.001, eps=1e-8, fused=True, capturable=graph)

    @torch.no_grad()
    def step(self, images, rows, truth, wrong):
        """All layers from one forward pass. Returns each layer's loss."""
        pairs = len(rows)
        x = (images[rows].float() / 255).repeat(2, 1)
        x[:, : common.CLASSES] = one_hot(torch.cat([truth, wrong]), common.CLASSES)
        sign = torch.ones(2 * pairs, 1, device=x.device)
        sign[pairs:] = -1
        z = unit(x, (x * x).sum(1, keepdim=True))
        losses = []
        for w, b in self.layers:
            h = torch.addmm(b, z, w).relu_()
            squares = (h * h).sum(1, keepdim=True)
            logits = sign * (squares - common.THRESHOLD)
            losses.append(softplus(-logits).sum() / pairs)
            delta = (-2 / pairs) * sign * torch.sigmoid(-logits) * h
            torch.mm(z.T, delta, out=w.grad)
            torch.sum(delta, 0, out=b.grad)
            z = unit(h, squares)
        self.adam.step()
        return torch.stack(losses)


def unit(x, squares):
    return x / torch.sqrt(squares + common.UNIT_EPSILON)


def on_device(args):
    """The device, its name, and its arithmetic set."""
    torch.backends.cuda.matmul.allow_tf32 = args.precision == "tf32"
    if args.device == "cpu":
        return torch.device("cpu"), common.processor()
    return torch.device("cuda"), torch.cuda.get_device_name()


def recorded(step, plan):
    """A function that does the step for one batch of the plan, played back from a CUDA graph."""
    slots = [part[0].clone() for part in plan]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # a few steps before the recording, as CUDA graphs want it
        for _ in range(3):
            step(*slots)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(*slots)

    def play(*batch):
        for slot, values in zip(slots, batch):
            slot.copy_(values)
        graph.replay()

    return play


def main():
    parser = common.options(__doc__.splitlines()[0], [2000] * 4, 128)
    parser.add_argument("--graph", action="store_true", help="record the step as a CUDA graph")
    args = common.parse(parser)
    if args.graph and args.device == "cpu":
        parser.error("--graph: needs --device gpu")
    device, name = on_device(args)
    batches = common.Batches(args.batch_size, args.steps)
    images = torch.tensor(batches.images, device=device)
    plan = [torch.tensor(part, device=device).long() for part in (batches.rows, batches.truth, batches.wrong)]
    network = Baseline(common.first_weights(args.layers), device, args.graph)
    step = lambda *batch: network.step(images, *batch)
    if args.graph:
        step = recorded(step, plan)

    def run():
        for batch in zip(*plan):
            step(*batch)
        if args.device == "gpu":
            torch.cuda.synchronize()

    times = common.milliseconds_per_step(run, args.steps, args.repeats)
    common.report("PyTorch, CUDA graph" if args.graph else "PyTorch", name, args, times)


if __name__ == "__main__":
    main()
