"""A trained network as a PyTorch module."""

import torch
from torch import nn

from .network import image_shape, is_planar, label_placement, label_rows


class TorchNetwork(nn.Module):
    """Scores ``[n, classes]`` of images: bytes from 0 to 255 or floats from 0 to 1, ``[n, …]``.

    ``layers`` are ``nn.Linear`` in single precision, or `Local`; ``head`` as well, without bias; all of them can be trained on.
    """

    def __init__(self, network):
        super().__init__()
        if network.top_down:
            raise ValueError("network.top_down: a network that is driven from above is no module; predict reads it")
        if network.config["evaluation"]["predict"] == "ensemble":
            raise ValueError("evaluation.predict is \"ensemble\", which is no module; predict reads it")
        self.config = network.config
        self.classes = network.classes
        self.scored = network.scored
        fields = network.fields(self.classes if label_placement(self.config) == "overlay" else 0)
        self.layers = nn.ModuleList(
            Local(weight, bias, label_rows(self.config, l), fields[l]) if l in fields else linear(weight, bias)
            for l, (weight, bias) in enumerate(network.layers)
        )
        self.head = nn.ModuleDict({str(l): linear(weight) for l, weight in network.head.items()})
        self.by = self.config["evaluation"]["predict"]

    def forward(self, images):
        """Scores by what the run was evaluated by: the energy or the head."""
        if is_planar(images.shape, image_shape(self.config)):
            images = images.movedim(-3, -1)
        pixels = images.flatten(1)
        is_whole = not images.dtype.is_floating_point and images.dtype != torch.bool
        pixels = pixels / 255 if is_whole else pixels.to(torch.get_default_dtype())
        return self.logits(pixels) if self.by == "head" else self.energies(pixels)

    def energies(self, pixels):
        """The goodness of the scored layers under every label, summed."""
        scores = []
        for code in torch.eye(self.classes, device=pixels.device):
            hidden = self.activities(pixels, code)
            scores.append(sum(self.goodness(hidden[l]) for l in self.scored))
        return torch.stack(scores, dim=1)

    def logits(self, pixels):
        """What the head reads from a pass without a label."""
        neutral = torch.full((self.classes,), 1 / self.classes, device=pixels.device)
        hidden = self.activities(pixels, neutral)
        kind = self.config["network"]["normalization"]
        return sum(part(normalize(hidden[int(l)], kind)) for l, part in self.head.items())

    def activities(self, pixels, code):
        """Activities of each layer, from the input up, under the label features ``[classes]``."""
        network = self.config["network"]
        placement = label_placement(self.config)
        code = (network["label_strength"] * code).expand(len(pixels), -1)
        if placement == "overlay":
            pixels = pixels[:, self.classes :]
        pixels = centered(pixels, network)
        if placement != "none":
            pixels = torch.cat([code, pixels], dim=1)
        x = normalize(pixels, network["input_normalization"])
        hidden = []
        for layer in self.layers:
            hidden.append(torch.relu(layer(x)))
            x = normalize(hidden[-1], network["normalization"])
            if placement == "every-layer":
                x = torch.cat([code, x], dim=1)
        return hidden

    def goodness(self, h):
        """Goodness of the rows of a layer's activities."""
        sign = -1 if self.config["goodness"].get("sign") == "minimize" else 1
        return sign * self.activity(h)

    def activity(self, h):
        """What goodness measures, before its sign."""
        function, squares = self.config["goodness"]["function"], h.square()
        match function:
            case "l1":
                return h.sum(dim=1)
            case "sum":
                return squares.sum(dim=1)
            case "mean":
                return squares.mean(dim=1)
            case "topk":
                k = self.config["goodness"]["top_k"]
                least = squares.topk(min(k, h.shape[1]), dim=1).values[:, -1:]
                return torch.where(squares >= least, squares, 0).sum(dim=1) / k
            case "entmax":
                return (entmax(h) * squares).sum(dim=1)
        raise ValueError(f"goodness.function is {function!r}, which this version of the package does not know")


def entmax(h):
    """1.5-entmax of each row: p = max(0, h / 2 - t)^2 that add up to 1."""
    # Less the largest, nothing is too large for single precision.
    shares = (h - h.max(dim=1, keepdim=True).values) / 2
    z = shares.sort(dim=1, descending=True).values
    k = torch.arange(1, z.shape[1] + 1, device=h.device, dtype=h.dtype)
    mean = z.cumsum(dim=1) / k
    spread = z.square().cumsum(dim=1) - k * mean.square()
    thresholds = mean - ((1 - spread) / k).clamp(min=0).sqrt()
    support = (thresholds <= z).sum(dim=1, keepdim=True).clamp(min=1)
    return (shares - thresholds.gather(1, support - 1)).clamp(min=0).square()


class Local(nn.Module):
    """A layer whose units see the features of their place alone: ``seen`` is a list of features for each place."""

    def __init__(self, weight, bias, labels, seen):
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(weight.copy()).float())
        self.bias = nn.Parameter(torch.from_numpy(bias.copy()).float())
        self.labels = labels
        self.seen = [torch.from_numpy(features) + labels for features in seen]

    def forward(self, x):
        labels, channels = self.labels, self.weight.shape[1] // len(self.seen)
        sums = []
        for place, features in enumerate(self.seen):
            own = self.weight[:, place * channels : (place + 1) * channels]
            features = torch.cat([torch.arange(labels), features]).to(x.device)
            sums.append(x[:, features] @ own[: len(features)])
        return torch.cat(sums, dim=1) + self.bias


def centered(x, network):
    """Images, minus the mean of each where the network was trained so; one of a single value becomes 0."""
    if not network.get("center_images"):
        return x
    x = x - x[:, :1]
    return x - x.mean(dim=1, keepdim=True)


def normalize(x, kind):
    """Rows rescaled; no mean is subtracted."""
    squares = x.square().sum(dim=1, keepdim=True)
    if kind == "unit":
        return x / (squares + 1e-8).sqrt()
    if kind == "rms":
        return x / (1e-30 + (squares / x.shape[1]).sqrt())
    return x


def linear(weight, bias=None):
    """A ``nn.Linear`` that computes x W + b of a W ``[fan_in, fan_out]``."""
    layer = nn.Linear(*weight.shape, bias=bias is not None)
    layer.weight.data = torch.from_numpy(weight.T.copy()).float()
    if bias is not None:
        layer.bias.data = torch.from_numpy(bias.copy()).float()
    return layer
