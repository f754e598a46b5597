"""A cell of a sweep in PyTorch: `baseline` for some epochs with evaluation, on one thread. Hydra starts the cells and its
joblib launcher runs them beside each other: `torch_cell.py --multirun hydra/launcher=joblib seed='range(64)'`.
"""

from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path

import hydra
import mnist
import torch
import torch_epochs
from hydra.core.config_store import ConfigStore


@dataclass
class Cell:
    data_dir: str
    seed: int = 1
    epochs: int = 10
    layers: list[int] = field(default_factory=lambda: [128, 128])


ConfigStore.instance().store("cell", Cell)


@hydra.main(version_base=None, config_name="cell")
def main(cell):
    torch.set_num_threads(1)
    defaults = vars(mnist.options("", [128, 128]).parse_args([]))
    torch_epochs.train(Namespace(**{**defaults, **cell, "data_dir": Path(cell.data_dir), "layers": list(cell.layers)}))


if __name__ == "__main__":
    main()
