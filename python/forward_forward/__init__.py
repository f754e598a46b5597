"""Runs and checkpoints of the program ``ff`` in NumPy, pandas and PyTorch.

>>> import forward_forward as ff
>>> run = ff.load_run("runs/first")
>>> run.metrics.plot(x="epoch", y="accuracy")
>>> labels, scores = ff.predict("runs/first", images)
>>> model = ff.to_torch("runs/first")
"""

from .network import Network, Prediction, load_network, predict
from .program import find_ff
from .run import Run, load_run, load_sweep

__all__ = [
    "Network",
    "Prediction",
    "Run",
    "find_ff",
    "load_network",
    "load_run",
    "load_sweep",
    "predict",
    "to_torch",
]


def to_torch(path):
    """The network of a run or checkpoint as a ``torch.nn.Module``; see `forward_forward.torch_module`."""
    # PyTorch is large and only this function needs it.
    from .torch_module import TorchNetwork

    return TorchNetwork(load_network(path))
