"""A trained network in NumPy, from the checkpoint alone."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import safe_open

#: Images whose activities are held at a time.
CHUNK = 1000


class Prediction(NamedTuple):
    """What a network makes of images."""

    #: The label with the largest score, ``[n]``.
    labels: np.ndarray
    #: Score of each label, ``[n, classes]``: the goodness of the layers that decide, the head's logits, or the logarithm of
    #: an ensemble's probability.
    scores: np.ndarray


@dataclass(frozen=True)
class Network:
    """The tensors of a checkpoint and how they are to be read."""

    #: Every knob, and under ``run`` the shape of the images and the number of classes.
    config: dict
    #: Weights ``[fan_in, fan_out]`` and bias ``[fan_out]`` of each layer, from the input up.
    layers: list
    #: The head's weights ``[fan_out, classes]`` by the layer that they read; empty where there is no head.
    head: dict
    #: Weights ``[fan_out of the layer above, fan_out]`` by the layer that is driven from above; empty where none is.
    top_down: dict = field(default_factory=dict)

    @property
    def classes(self):
        """Number of labels."""
        return self.config["run"]["classes"]

    @property
    def scored(self):
        """The layers that decide: all but the first unless that is asked for, or the only one."""
        first = self.config["evaluation"].get("first_layer", 2) - 1
        return range(min(first, len(self.layers) - 1), len(self.layers))

    def predict(self, images, by=None):
        """Labels and scores of images; see `forward_forward.predict`."""
        by = by or self.config["evaluation"]["predict"]
        ways = {"energy": self.energies, "head": self.logits, "ensemble": self.mean_log_probabilities}
        if by in ("head", "ensemble") and not self.head:
            raise ValueError("the checkpoint holds no head; predict by energy")
        if by not in ways:
            raise ValueError(f'by must be "energy", "head" or "ensemble", found {by!r}')
        pixels = self.pixels(images)
        scores = ways[by]
        chunks = [scores(pixels[start : start + CHUNK]) for start in range(0, len(pixels), CHUNK)]
        scores = np.concatenate(chunks) if chunks else np.zeros((0, self.classes))
        return Prediction(scores.argmax(axis=1), scores)

    def pixels(self, images):
        """Images as rows of pixels from 0 to 1, in double precision."""
        images = np.asarray(images)
        shape = image_shape(self.config)
        if is_planar(images.shape, shape):
            images = np.moveaxis(images, -3, -1)
        size = int(np.prod(shape))
        if images.shape == shape:
            images = images[None]
        if np.prod(images.shape[1:]) != size:
            raise ValueError(f"images of shape {images.shape}, but the network reads {size} pixels each {shape}")
        pixels = images.reshape(-1, size)
        if not np.issubdtype(images.dtype, np.integer):
            return pixels.astype(np.float64)
        if pixels.size and not (pixels.min() >= 0 and pixels.max() <= 255):
            raise ValueError(f"whole numbers from {pixels.min()} to {pixels.max()}, expected brightness from 0 to 255")
        return pixels / 255.0

    def energies(self, pixels):
        """The goodness of the scored layers under every label, summed, ``[n, classes]``."""
        scores = np.zeros((len(pixels), self.classes))
        for label, code in enumerate(np.eye(self.classes)):
            passes = list(self.passes(pixels, code))
            # The first layer sees no label where that is above the last.
            layers = range(len(self.layers)) if self.top_down else self.scored
            for hidden in passes:
                scores[:, label] += sum(self.goodness(hidden[l]) for l in layers) / len(passes)
        return scores

    def passes(self, pixels, code):
        """Activities of the layers whose goodness counts for a label: of the one pass, or of each of several steps."""
        if not self.top_down:
            yield list(self.activities(pixels, code))
            return
        evaluation = self.config["evaluation"]
        steps = self.steps(pixels, code, evaluation["last_step"])
        yield from list(steps)[evaluation["first_step"] - 1 :]

    def steps(self, pixels, code, count):
        """Activities of the layers after each of so many steps, in which those above and below drive each layer."""
        network = self.config["network"]
        keep, kind = network["damping"], network["normalization"]
        code = np.broadcast_to(self.strength() * code, (len(pixels), self.classes))
        image = normalize(centered(pixels, network), network["input_normalization"])
        fields, above = self.fields(0), self.fields_from_above()
        last = len(self.layers) - 1
        hidden = list(self.activities(pixels, np.full(self.classes, 1 / self.classes)))
        for _ in range(count):
            z = [normalize(h, kind) for h in hidden]
            new = []
            for l, (weight, bias) in enumerate(self.layers):
                x = image if l == 0 else z[l - 1]
                x = np.hstack([code, x]) if l == last else x
                sums = weighted_sums(x, weight, self.classes if l == last else 0, fields.get(l)) + bias
                if l in self.top_down:
                    sums += weighted_sums(z[l + 1], self.top_down[l], 0, above.get(l))
                new.append(keep * hidden[l] + (1 - keep) * np.maximum(sums, 0))
            hidden = new
            yield hidden

    def logits(self, pixels):
        """What the head reads from a pass without a label, ``[n, classes]``."""
        return sum(self.logits_of_layers(pixels))

    def logits_of_layers(self, pixels):
        """What each part of the head reads from its layer, ``[n, classes]``."""
        neutral = np.full(self.classes, 1 / self.classes)
        hidden = list(self.activities(pixels, neutral))
        kind = self.config["network"]["normalization"]
        return [normalize(hidden[l], kind) @ weight for l, weight in self.head.items()]

    def mean_log_probabilities(self, pixels):
        """The logarithm of the mean probability: of the layers' own classifiers, or of energy and head."""
        if compares_goodness(self.config):
            members = [self.energies(pixels) / temperature(self.config), self.logits(pixels)]
        else:
            members = self.logits_of_layers(pixels)
        return log_sum_exp([scores - log_sum_exp(scores, 1)[:, None] for scores in members], 0) - np.log(len(members))

    def activities(self, pixels, code):
        """Activities ``[n, fan_out]`` of each layer, from the input up, under the label features ``[classes]``."""
        network = self.config["network"]
        placement = label_placement(self.config)
        code = np.broadcast_to(self.strength() * code, (len(pixels), self.classes))
        if placement == "overlay":
            pixels = pixels[:, self.classes :]
        pixels = centered(pixels, network)
        if placement in ("prepend", "every-layer", "overlay"):
            pixels = np.hstack([code, pixels])
        x = normalize(pixels, network["input_normalization"])
        fields = self.fields(self.classes if placement == "overlay" else 0)
        last = len(self.layers) - 1
        for l, (weight, bias) in enumerate(self.layers):
            if placement == "above" and l == last:
                x = np.hstack([code, x])
            h = np.maximum(weighted_sums(x, weight, label_rows(self.config, l), fields.get(l)) + bias, 0)
            yield h
            x = normalize(h, network["normalization"])
            if placement == "every-layer":
                x = np.hstack([code, x])

    def strength(self):
        """Value of the active label feature; above the last layer it is normalized as activities are."""
        network = self.config["network"]
        one = normalize(np.eye(1, self.classes), network["normalization"])[0, 0] if self.top_down else 1
        return network["label_strength"] * one

    def fields(self, covered):
        """What the places of each local layer see, by the layer: lists of features.

        The first ``covered`` values of an image are under the label, and are no features.
        """
        fields, below = {}, (*image_shape(self.config), 1)[:3]
        for l, layer in enumerate(self.config["network"].get("layers", [])):
            if layer["kind"] != "local":
                break
            fields[l] = places(layer, below, covered if l == 0 else 0)
            below = (*layer["grid"], layer["channels"])
        return fields

    def fields_from_above(self):
        """What the places of each local layer see of a local layer above it: the units in whose field they are."""
        fields, seen = self.fields(0), {}
        for l in self.top_down:
            if l + 1 in fields:
                units = np.arange(self.layers[l + 1][0].shape[1]).reshape(len(fields[l + 1]), -1)
                firsts = range(0, self.layers[l][0].shape[1], self.layers[l][0].shape[1] // len(fields[l]))
                seen[l] = [
                    units[[first in below for below in fields[l + 1]]].ravel() for first in firsts
                ]
        return seen

    def goodness(self, h):
        """Goodness of the rows of a layer's activities."""
        sign = -1 if self.config["goodness"].get("sign") == "minimize" else 1
        return sign * self.activity(h)

    def activity(self, h):
        """What goodness measures, before its sign."""
        function, squares = self.config["goodness"]["function"], h**2
        match function:
            case "l1":
                return h.sum(axis=1)
            case "sum":
                return squares.sum(axis=1)
            case "mean":
                return squares.mean(axis=1)
            case "topk":
                k = self.config["goodness"]["top_k"]
                least = np.sort(squares, axis=1)[:, -min(k, h.shape[1]), None]
                return np.where(squares >= least, squares, 0).sum(axis=1) / k
            case "entmax":
                return (entmax(h) * squares).sum(axis=1)
        raise ValueError(f"goodness.function is {function!r}, which this version of the package does not know")


def entmax(h):
    """1.5-entmax of each row: p = max(0, h / 2 - t)^2 that add up to 1."""
    # Less the largest, nothing is too large for single precision.
    shares = (h - h.max(axis=1, keepdims=True)) / 2
    z = np.sort(shares, axis=1)[:, ::-1]
    k = np.arange(1, z.shape[1] + 1)
    mean = z.cumsum(axis=1) / k
    spread = (z**2).cumsum(axis=1) - k * mean**2
    thresholds = mean - np.sqrt(np.maximum((1 - spread) / k, 0))
    support = (thresholds <= z).sum(axis=1, keepdims=True)
    threshold = np.take_along_axis(thresholds, support - 1, axis=1)
    return np.maximum(shares - threshold, 0) ** 2


def temperature(config):
    """T of the odds exp(ΔG / T) that the loss trains goodness to give."""
    training = config["training"]
    match training["loss"]:
        case "symba":
            return 1 / training["alpha"]
        case "margin":
            return training["margin"]
    return config["goodness"]["temperature"]


def compares_goodness(config):
    """Whether positives and negatives are compared by their goodness; else classifiers teach."""
    return config["training"]["loss"] in ("bce", "symba", "margin")


def log_sum_exp(values, axis):
    """ln Σ exp along an axis, without overflow."""
    largest = np.max(values, axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(values - largest), axis=axis)) + largest.squeeze(axis)


def image_shape(config):
    """Height and width of an image, and channels where there are several."""
    image = config["run"]["image"]
    return tuple(image[side] for side in ("height", "width", "channels") if side in image)


def is_planar(images, shape):
    """Whether images of this shape have their channels first instead of last."""
    last = tuple(images[-3:])
    return len(shape) == 3 and last != shape and last == (shape[2], *shape[:2])


def label_placement(config):
    """Where labels enter the network: ``none`` among hybrids, and where classifiers learn from them; ``above`` the last
    layer, where layers are driven from above."""
    training = config["training"]
    if config["network"].get("top_down"):
        return "above"
    takes_label = training["negatives"] != "hybrid" and compares_goodness(config)
    return config["network"]["label"] if takes_label else "none"


def label_rows(config, l):
    """Rows of a layer's weights that belong to labels: the first ones."""
    placement = label_placement(config)
    if placement == "above":
        enters = l == len(config["network"]["layer_sizes"]) - 1
    else:
        enters = placement == "every-layer" or (placement != "none" and l == 0)
    return config["run"]["classes"] if enters else 0


def places(layer, below, covered=0):
    """The features that each place of a local layer sees on a map ``(rows, columns, channels)``, in ascending order."""
    rows, columns, channels = below
    features = np.arange(rows * columns * channels).reshape(rows, columns, channels) - covered
    stride, field = layer["stride"], layer["field"]
    corners = [(i * stride, j * stride) for i in range(layer["grid"][0]) for j in range(layer["grid"][1])]
    seen = [features[top : top + field, left : left + field].ravel() for top, left in corners]
    return [place[place >= 0] for place in seen]


def weighted_sums(x, weight, labels, seen):
    """``x @ weight``, where the first ``labels`` columns of x are label features.

    In a local layer the units of a place see the features of its list ``seen[place]`` alone, and weights are kept for
    those: row ``labels + i`` belongs to the i-th. Units are numbered place by place.
    """
    if seen is None:
        return x @ weight
    sums = x[:, :labels] @ weight[:labels]
    channels = weight.shape[1] // len(seen)
    for place, features in enumerate(seen):
        units = slice(place * channels, (place + 1) * channels)
        sums[:, units] += x[:, labels + features] @ weight[labels : labels + len(features), units]
    return sums


def centered(x, network):
    """Images, minus the mean of each where the network was trained so; one of a single value becomes 0."""
    if not network.get("center_images"):
        return x
    x = x - x[:, :1]
    return x - x.mean(axis=1, keepdims=True)


def normalize(x, kind):
    """Rows rescaled; no mean is subtracted."""
    squares = (x**2).sum(axis=1, keepdims=True)
    if kind == "unit":
        return x / np.sqrt(squares + 1e-8)
    if kind == "rms":
        return x / (1e-30 + np.sqrt(squares / x.shape[1]))
    return x


def load_network(path):
    """The network of a run directory or of a checkpoint file.

    Of a run's checkpoints it is the one that ``ff eval`` takes: the last, or the best where held-out rows chose it.
    """
    file = checkpoint_file(Path(path))
    with safe_open(file, framework="numpy") as tensors:
        described = (tensors.metadata() or {}).get("config")
        if described is None:
            raise ValueError(f"{file}: no config in the metadata, so nothing says how to read the tensors")
        config = tomllib.loads(described)
        names = set(tensors.keys())
        layers = []
        while f"layers.{len(layers)}.weight" in names:
            weight, bias = (tensors.get_tensor(f"layers.{len(layers)}.{part}") for part in ("weight", "bias"))
            layers.append((weight.astype(np.float64), bias.astype(np.float64)))
        head = {
            l: tensors.get_tensor(f"head.{l}.weight").astype(np.float64)
            for l in range(len(layers))
            if f"head.{l}.weight" in names
        }
        top_down = {
            l: tensors.get_tensor(f"layers.{l}.top_down.weight").astype(np.float64)
            for l in range(len(layers))
            if f"layers.{l}.top_down.weight" in names
        }
    return Network(config, layers, head, top_down)


def checkpoint_file(path):
    """The checkpoint of a run directory; a file is one itself."""
    if path.is_file():
        return path
    folder = path / "checkpoints"
    config = path / "config.toml"
    held_out = config.is_file() and tomllib.loads(config.read_text(encoding="utf-8"))["data"]["validation_size"] > 0
    file = folder / ("best.safetensors" if held_out else "last.safetensors")
    if not file.is_file():
        raise FileNotFoundError(f"{path}: no checkpoint ({file} is missing)")
    return file


def predict(path, images, by=None):
    """Labels and scores of images by the network of a run or checkpoint, as ``ff predict`` gives them.

    ``images`` are bytes from 0 to 255 or floats from 0 to 1, ``[n, height, width]``, ``[n, pixels]`` or one image; in
    color ``[n, height, width, channels]`` or ``[n, channels, height, width]``;
    ``by`` is ``"energy"``, ``"head"`` or ``"ensemble"``, by default as the run was evaluated.
    """
    return load_network(path).predict(images, by)
