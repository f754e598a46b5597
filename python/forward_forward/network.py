"""A trained network in NumPy, from the checkpoint alone."""

import tomllib
from dataclasses import dataclass
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
    #: Score of each label, ``[n, classes]``: the goodness of all layers but the first, or the head's logits.
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

    @property
    def classes(self):
        """Number of labels."""
        return self.config["run"]["classes"]

    @property
    def scored(self):
        """The layers that decide: all but the first, or the only one."""
        return range(min(1, len(self.layers) - 1), len(self.layers))

    def predict(self, images, by=None):
        """Labels and scores of images; see `forward_forward.predict`."""
        by = by or self.config["evaluation"]["predict"]
        if by == "head" and not self.head:
            raise ValueError("the checkpoint holds no head; predict by energy")
        if by not in ("energy", "head"):
            raise ValueError(f'by must be "energy" or "head", found {by!r}')
        pixels = self.pixels(images)
        scores = self.logits if by == "head" else self.energies
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
        return pixels / 255.0 if images.dtype == np.uint8 else pixels.astype(np.float64)

    def energies(self, pixels):
        """The goodness of the scored layers under every label, summed, ``[n, classes]``."""
        scores = np.zeros((len(pixels), self.classes))
        for label, code in enumerate(np.eye(self.classes)):
            for l, h in enumerate(self.activities(pixels, code)):
                if l in self.scored:
                    scores[:, label] += self.goodness(h)
        return scores

    def logits(self, pixels):
        """What the head reads from a pass without a label, ``[n, classes]``."""
        neutral = np.full(self.classes, 1 / self.classes)
        hidden = list(self.activities(pixels, neutral))
        kind = self.config["network"]["normalization"]
        return sum(normalize(hidden[l], kind) @ weight for l, weight in self.head.items())

    def activities(self, pixels, code):
        """Activities ``[n, fan_out]`` of each layer, from the input up, under the label features ``[classes]``."""
        network = self.config["network"]
        placement = label_placement(self.config)
        code = np.broadcast_to(network["label_strength"] * code, (len(pixels), self.classes))
        if placement == "overlay":
            pixels = pixels[:, self.classes :]
        if placement != "none":
            pixels = np.hstack([code, pixels])
        x = normalize(pixels, network["input_normalization"])
        fields = self.fields(self.classes if placement == "overlay" else 0)
        for l, (weight, bias) in enumerate(self.layers):
            h = np.maximum(weighted_sums(x, weight, label_rows(self.config, l), fields.get(l)) + bias, 0)
            yield h
            x = normalize(h, network["normalization"])
            if placement == "every-layer":
                x = np.hstack([code, x])

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
        raise ValueError(f"goodness.function is {function!r}, which this version of the package does not know")


def image_shape(config):
    """Height and width of an image, and channels where there are several."""
    image = config["run"]["image"]
    return tuple(image[side] for side in ("height", "width", "channels") if side in image)


def is_planar(images, shape):
    """Whether images of this shape have their channels first instead of last."""
    last = tuple(images[-3:])
    return len(shape) == 3 and last != shape and last == (shape[2], *shape[:2])


def label_placement(config):
    """Where labels enter the network: ``none`` among hybrids, and where classifiers learn from them."""
    training = config["training"]
    takes_label = training["negatives"] != "hybrid" and training["loss"] in ("bce", "symba", "margin")
    return config["network"]["label"] if takes_label else "none"


def label_rows(config, l):
    """Rows of a layer's weights that belong to labels: the first ones."""
    placement = label_placement(config)
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
    return Network(config, layers, head)


def checkpoint_file(path):
    """The checkpoint of a run directory; a file is one itself."""
    if path.is_file():
        return path
    folder = path / "checkpoints"
    config = path / "config.toml"
    held_out = config.is_file() and tomllib.loads(config.read_text())["data"]["validation_size"] > 0
    file = folder / ("best.safetensors" if held_out else "last.safetensors")
    if not file.is_file():
        raise FileNotFoundError(f"{path}: no checkpoint ({file} is missing)")
    return file


def predict(path, images, by=None):
    """Labels and scores of images by the network of a run or checkpoint, as ``ff predict`` gives them.

    ``images`` are bytes from 0 to 255 or floats from 0 to 1, ``[n, height, width]``, ``[n, pixels]`` or one image; in
    color ``[n, height, width, channels]`` or ``[n, channels, height, width]``;
    ``by`` is ``"energy"`` or ``"head"``, by default as the run was evaluated.
    """
    return load_network(path).predict(images, by)
