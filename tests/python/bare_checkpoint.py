"""Strip a checkpoint to its layers, and measure them as the original toolkit does, in numpy alone.

usage: bare_checkpoint.py CHECKPOINT BARE IDX_FOLDER
"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file


def idx(folder, stem):
    plain = folder / stem
    data = plain.read_bytes() if plain.exists() else gzip.open(f"{plain}.gz").read()
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def predictions(layers, images, classes):
    """One pass per label: the goodness of all layers but the first, summed."""
    scores = np.zeros((len(images), classes))
    for label in range(classes):
        x = images.copy()
        x[:, :classes] = 0.0
        x[:, label] = 1.0
        for l, (weight, bias) in enumerate(layers):
            h = np.maximum(x @ weight + bias, 0.0)
            squares = (h**2).sum(axis=1)
            if l > 0:
                scores[:, label] += squares
            x = h / np.sqrt(squares + 1e-8)[:, None]
    return scores.argmax(axis=1)


def main(checkpoint, bare, folder):
    tensors = {k: v for k, v in load_file(checkpoint).items() if k.startswith("layers.")}
    save_file(tensors, bare)
    depth = len(tensors) // 2
    layers = [
        (tensors[f"layers.{l}.weight"].astype(np.float64), tensors[f"layers.{l}.bias"].astype(np.float64))
        for l in range(depth)
    ]
    folder = Path(folder)
    images = idx(folder, "t10k-images-idx3-ubyte")
    labels = idx(folder, "t10k-labels-idx1-ubyte")
    images = images.reshape(len(images), -1) / 255.0
    right = predictions(layers, images, labels.max() + 1) == labels
    json.dump({"correct": int(right.sum()), "total": len(labels)}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
