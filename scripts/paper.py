"""The experiments of the paper (arXiv 2212.13345), a row each: the paper's test error beside ours.

    paper.py [--size small|full|tiny] [--seeds N]

small, the default, takes two cores about a quarter of an hour: fewer units and epochs. full is the paper's size, days. tiny, on
the embedded digits, tells in seconds whether everything runs, and nothing else. Seeds are 1 to N; one, unless it is told.

Runs lie in runs/paper (runs/paper-full, runs/paper-tiny). The same command again goes on where it was stopped and trains nothing
that is done. A row that fails stops no other; it is named at the end, and the exit code is 1. CIFAR-10 is looked for in
FF_CIFAR_DIR, else where `ff` looks for data, and not downloaded: without it its rows are skipped. FF names the program.

results.csv, rewritten after each row, has `row`, `section` of the paper, `experiment`, `paper error %`, `ours %` and `by head %` (test
errors after the last epoch, means over the seeds; ours is by what the recipe predicts with, or by a probe), `seeds` (how many),
`epochs`, `sizes` (units of the layers), `command`, `seconds` (of training and evaluation, beside whatever else the machine did) and
`note`: what to know of the row, or of its data. `cargo run --example paper results.csv paper.png` draws it.
"""

import argparse
import csv
import json
import os
import shlex
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FF = os.environ.get("FF", ROOT / "target" / "release" / "ff")
COLUMNS = ["row", "section", "experiment", "paper error %", "ours %", "by head %", "seeds", "epochs", "sizes", "command", "seconds"]
COLUMNS += ["note"]


def local(*layers):
    """Layers of (side of the grid, stride, field, channels), as `--set` takes them."""
    kinds = [f'{{kind="local",grid=[{n},{n}],stride={s},field={f},channels={c}}}' for n, s, f, c in layers]
    return f"layers=[{','.join(kinds)}]"


# A quarter of the paper's channels, and a map that is small enough for 8×8 pixels.
QUARTER = local((4, 6, 10, 32), (3, 1, 2, 55), (2, 1, 2, 128))
PATCHES = local((2, 4, 4, 6), (1, 1, 2, 20))


@dataclass(frozen=True)
class Row:
    """An experiment: a command of `ff`, and what `--set` makes of it at each size."""

    name: str
    section: str
    experiment: str
    # Test error in %, if the paper gives one.
    paper: float | None
    command: str
    full: tuple = ()
    small: tuple = ()
    tiny: tuple = ("layer_sizes=[20,20]",)
    # Measured by a softmax that is trained on the finished network.
    probe: bool = False
    # The share of the activities that are silenced while that softmax learns, at the paper's size; measured for local fields alone.
    probe_dropout: float = 0.0
    # The cells of a sweep that this row is about: what stands in columns of its results.csv.
    cells: dict | None = None
    note: str = ""

    def words(self, size, seed):
        """The command, from `train` or `sweep` on."""
        sets = list(getattr(self, size)) + (["num_epochs=1", "dataset=digits"] if size == "tiny" else [])
        sets += [f"seed={seed}"]
        return shlex.split(self.command) + [word for value in sets for word in ("--set", value)]

    @property
    def folder(self):
        """Rows of one sweep share it."""
        return Path(self.command.split()[1]).stem if self.cells else self.name


UNSUPERVISED = "train --config experiments/paper/unsupervised_local.toml"
SUPERVISED = "train --config experiments/paper/supervised_local.toml"
WIDE = "layer_sizes=[2000,2000,2000,2000]"
NARROW = "layer_sizes=[500,500,500,500]"
CIFAR = {
    "command": "sweep experiments/paper/cifar_local.toml",
    "small": ("num_epochs=5", local((8, 3, 11, 16), (7, 1, 2, 20))),
    "tiny": (PATCHES,),
}
PHASES = ("sleep_every=[0,1,10]", "learning_rate=0.001", "momentum=0.99")
SLEEP = {
    "command": "sweep experiments/paper/sleep.toml",
    "full": PHASES,
    "small": (*PHASES, "num_epochs=4"),
    "tiny": (*PHASES, "layer_sizes=[20,20]"),
    "note": "the paper gives no number",
}
ROWS = [
    Row("backprop", "3.1", "backpropagation", 1.4, "train --recipe backprop", (WIDE, "num_epochs=20"),
        ("layer_sizes=[500,500,500]", "num_epochs=10")),
    Row("unsupervised", "3.2", "unsupervised", 1.37, "train --recipe unsupervised", (WIDE, "num_epochs=100"),
        (NARROW, "num_epochs=10"), probe=True),
    Row("unsupervised_local", "3.2", "unsupervised, local fields", 1.16, UNSUPERVISED, (), (QUARTER, "num_epochs=10"), (PATCHES,),
        probe=True, probe_dropout=0.5),
    Row("supervised", "3.3", "supervised", 1.36, "train --recipe hinton", (WIDE, "num_epochs=60"), (NARROW, "num_epochs=10")),
    Row("supervised_jittered", "3.3", "supervised, shifted images", 0.64, "train --recipe hinton --set jitter=2",
        (WIDE, "num_epochs=500"), (NARROW, "num_epochs=20")),
    Row("supervised_local", "3.3", "supervised, shifted, local fields", None, SUPERVISED, (), (QUARTER, "num_epochs=15"), (PATCHES,),
        note="the paper has it fully connected"),
    Row("top_down", "3.4", "supervised, top-down", 1.31, "train --config experiments/paper/top_down.toml", (),
        ("layer_sizes=[200,200]", "num_epochs=5", "label_strength=4", "learning_rate=0.001", "input_dropout=0")),
    Row("cifar_backprop", "4", "backpropagation", 37, cells={"name": "backprop"}, **CIFAR),
    Row("cifar_minimize", "4", "supervised, minimize squares", 41, cells={"name": "minimize"}, **CIFAR),
    Row("cifar_maximize", "4", "supervised, maximize squares", 44, cells={"name": "maximize"}, **CIFAR),
]
ROWS += [
    Row(name, "5", experiment, None, cells={"sleep_every": k}, **SLEEP)
    for name, experiment, k in [
        ("awake", "awake: both phases in each batch", "0"),
        ("sleep_1", "phases of 1 batch", "1"),
        ("sleep_10", "phases of 10 batches", "10"),
    ]
]


def cifar_folder():
    """The folder to give as --data-dir, empty where `ff` finds CIFAR-10 by itself; None where it is not there."""
    told = os.environ.get("FF_CIFAR_DIR", "")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "forward-forward"
    folder = Path(told or os.environ.get("FF_DATA_DIR") or cache)
    below = [folder / "cifar10", folder]
    places = [place / name for place in below for name in ("test_batch.bin", "cifar-10-batches-bin/test_batch.bin")]
    places += [place / "cifar-10-binary.tar.gz" for place in below]
    return told if any(place.exists() for place in places) else None


def ff(*words):
    """What the program prints on stdout."""
    command = [str(word) for word in [FF, *words]]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def train(row, size, seeds, folder, options):
    """The run directories of the row, a seed each; what is there already is gone on with."""
    quiet = ["--quiet", "--set", "logging.figures=false", "--set", "checkpoint_seconds=30", *options]
    goes_on = "--resume" if row.cells is None else "--retry-failed"
    for seed in seeds:
        ff(*row.words(size, seed), "--log-dir", folder / str(seed), goes_on, *quiet)
    runs = [folder / str(seed) for seed in seeds]
    return runs if row.cells is None else [cell(row, run) for run in runs]


def cell(row, folder):
    """The run directory of the row's cell in a sweep."""
    with open(folder / "results.csv", newline="") as lines:
        cells = [cell for cell in csv.DictReader(lines) if row.cells.items() <= cell.items()]
    if len(cells) != 1:
        raise ValueError(f"{folder}/results.csv has {len(cells)} cells with {row.cells}, expected one")
    return folder / cells[0]["run_dir"]


def probe(row, size):
    """The options of `ff eval` that train a softmax on the finished network."""
    silenced = ["--probe-dropout", str(row.probe_dropout)] if size == "full" and row.probe_dropout else []
    return ["--probe", *silenced]


def read_out(run, epochs, probing, options):
    """The accuracy of a softmax on the finished network; kept beside it."""
    kept = run / f"probe-{'-'.join([str(epochs), *probing[2:]])}.json"
    if not kept.exists():
        told = kept.with_suffix(".tmp")
        told.write_text(ff("eval", run, *probing, "--json", *options))
        told.replace(kept)
    return json.loads(kept.read_text())["accuracy"]


def measure(row, size, seeds, folder, options):
    """The row's columns that a training gives."""
    runs = train(row, size, seeds, folder, options)
    summaries = [json.loads((run / "summary.json").read_text()) for run in runs]
    last = summaries[-1]
    notes = [note for note in (row.note, last.get("data_note")) if note]
    error = lambda shares: f"{100 - 100 * statistics.mean(shares):.2f}"
    by_head = [summary.get("test_head_accuracy") for summary in summaries]
    ours = [summary["test_accuracy"] for summary in summaries]
    if row.probe:
        ours = [read_out(run, last["epochs"], probe(row, size), options) for run in runs]
    return {
        "ours %": error(ours),
        "by head %": "" if None in by_head else error(by_head),
        "seeds": len(runs),
        "epochs": last["epochs"],
        "sizes": " ".join(map(str, last["layer_sizes"])),
        "seconds": round(sum(sum(summary["seconds"].values()) for summary in summaries)),
        "note": "; ".join(notes),
    }


def command(row, size):
    """What to type for its first seed."""
    read = " && ff eval RUN " + " ".join(probe(row, size)) if row.probe else ""
    return shlex.join(["ff", *row.words(size, 1)]) + read


def table(found):
    """The columns that fit on a page, as Markdown."""
    shown = [column for column in COLUMNS if column not in ("row", "command")]
    lines = [shown, ["---"] * len(shown)] + [[str(line[column]) or "–" for column in shown] for line in found]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(found, file):
    """All at once: who reads meanwhile reads a whole file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file.with_suffix(".tmp"), "w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(found)
    file.with_suffix(".tmp").replace(file)


def main():
    parser = argparse.ArgumentParser(description="The paper's experiments, beside the paper's test errors.")
    parser.add_argument("--size", choices=["small", "full", "tiny"], default="small")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds 1 to N (default: 1)")
    asked = parser.parse_args()
    if asked.seeds < 1:
        parser.error(f"--seeds is {asked.seeds}, expected at least 1")
    seeds = list(range(1, asked.seeds + 1))
    folder = ROOT / "runs" / ("paper" if asked.size == "small" else f"paper-{asked.size}")
    cifar = "" if asked.size == "tiny" else cifar_folder()
    found, failed = [], []
    for row in ROWS:
        line = dict.fromkeys(COLUMNS, "") | {"row": row.name, "section": row.section, "experiment": row.experiment}
        line |= {"paper error %": "" if row.paper is None else row.paper, "note": row.note}
        line["command"] = command(row, asked.size)
        if row.section == "4" and cifar is None:
            line["note"] = "skipped: no CIFAR-10 here (ff data fetch cifar10)"
        else:
            options = ["--data-dir", cifar] if row.section == "4" and cifar else []
            try:
                line |= measure(row, asked.size, seeds, folder / row.folder, options)
            except (subprocess.CalledProcessError, OSError, ValueError) as error:
                failed.append(row.name)
                line["note"] = "failed"
                print(error, file=sys.stderr)
        found.append(line)
        print(f"{row.name}: {line['ours %'] and line['ours %'] + ' %' or line['note']}", file=sys.stderr, flush=True)
        write(found, folder / "results.csv")
    print(table(found))
    if failed:
        sys.exit(f"paper.py: failed: {', '.join(failed)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("paper.py: stopped; the same again goes on")
