"""What a run directory or a sweep directory holds."""

import json
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from .network import load_network


@dataclass(frozen=True)
class Run:
    """One run directory; each part is read when it is first asked for."""

    path: Path

    @cached_property
    def config(self):
        """Every knob, as nested dictionaries: ``run.config["training"]["learning_rate"]``."""
        return tomllib.loads((self.path / "config.toml").read_text(encoding="utf-8"))

    @cached_property
    def metrics(self):
        """One row per epoch. Nested values have dotted names: ``layers.0.train_loss``, ``class_accuracy.3``."""
        # A run that is being written, or was cut off, may end in a part of a line.
        text = (self.path / "metrics.jsonl").read_text(encoding="utf-8")
        whole, _, _ = text.rpartition("\n")
        return pd.DataFrame([_flat(json.loads(line)) for line in whole.splitlines()])

    @cached_property
    def summary(self):
        """How the run ended, and its results."""
        return json.loads((self.path / "summary.json").read_text(encoding="utf-8"))

    @cached_property
    def class_names(self):
        """What the classes are called: their numbers, where they have no names."""
        return self.summary.get("class_names") or list(range(self.summary["classes"]))

    @cached_property
    def confusion_matrix(self):
        """Images of the test set by true class (rows) and predicted class (columns)."""
        names = {"index": self.class_names, "columns": self.class_names}
        matrix = pd.DataFrame(self.summary["confusion_matrix"], **names)
        return matrix.rename_axis(index="true", columns="predicted")

    @cached_property
    def network(self):
        """The trained network in NumPy."""
        return load_network(self.path)

    def predict(self, images, by=None):
        """See `forward_forward.predict`."""
        return self.network.predict(images, by)


def load_run(path):
    """The run in a directory."""
    path = Path(path)
    if not (path / "config.toml").is_file():
        raise FileNotFoundError(f"{path}: no run directory (config.toml is missing)")
    return Run(path)


def load_sweep(path):
    """results.csv of a sweep directory: one row per cell; ``load_run(row.run_dir)`` opens a cell."""
    path = Path(path)
    table = path / "results.csv"
    if not table.is_file():
        raise FileNotFoundError(f"{path}: no sweep directory (results.csv is missing)")
    # A cell may be called NA.
    results = pd.read_csv(table, keep_default_na=False, na_values=[""])
    for column in results.select_dtypes(exclude=["number", "bool"]):
        results[column] = results[column].map(_unquoted)
    results["run_dir"] = [str(path / Path(run_dir).name) for run_dir in results["run_dir"]]
    return results


def _unquoted(value):
    """A field as it was: names that a spreadsheet would take for formulas are written behind an apostrophe."""
    is_quoted = isinstance(value, str) and value[:1] == "'" and value[1:2] in ("=", "+", "-", "@", "\t", "\r")
    return value[1:] if is_quoted else value


def _flat(value, name=""):
    """Nested dictionaries and lists as one dictionary of dotted names."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return {name: value}
    flat = {}
    for key, inner in items:
        flat |= _flat(inner, f"{name}.{key}" if name else str(key))
    return flat
