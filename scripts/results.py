"""The README's results: measured over seeds, kept in experiments/results/*.json, and repeated.

    results.py measure NAME...   runs a row's command for each of its seeds, and writes what came out into its file; the same
                                 again goes on where it was stopped
    results.py table             writes the README's two tables from the files
    results.py check [--table]   fails where the README's tables differ from the files, or a cheap row, repeated, from
                                 what its file says; --table repeats none

A row's file holds, chosen, `dataset`, `network`, `recipe`, `epochs`, `command`, `seeds`, `test_images`, `cheap` (repeated by
`check`), its `order` in the first table or its place beside the paper (`paper`: `section`, `experiment`, test `error` in %), or
both, and perhaps `note`, `backend` (cpu, unless it says another), `read` (the `ff eval RUN …` that measures it) and `cell` (of the
sweep that the command is); measured, `commit`, `machine`, `date`, `mean` and `sd` over the seeds, and for each
seed `accuracy` and `head_accuracy` (shares of the test set that are recognized after the last epoch, by what the recipe
predicts with and by the head; null without a head) and `seconds` (of training and evaluation, beside whatever else the
machine did: no benchmark). FF names the program; FF_RESULTS_DATASET a data set to measure on instead of the command's, which
the row's note then has to say; FF_RESULTS_COMMIT the commit where there is no checkout.
"""

import csv
import datetime
import json
import math
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = ROOT / "experiments" / "results"
RUNS = ROOT / "runs" / "results"
README = ROOT / "README.md"
FF = os.environ.get("FF", ROOT / "target" / "release" / "ff")


def rows():
    """Every row by its name."""
    return {path.stem: read(path) for path in sorted(ROWS.glob("*.json"))}


def read(path):
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def run(*words):
    """What the program prints on stdout."""
    command = [str(word) for word in [FF, *words]]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def train(row, seed, folder):
    """What the last epoch of one seed gives, or the row's `read`, and its run directory, in the folder or below it; goes on
    with a training that lies there."""
    kind, *arguments = shlex.split(row["command"])[1:]
    dataset = os.environ.get("FF_RESULTS_DATASET")
    options = ["--log-dir", folder, "--quiet", "--set", f"seed={seed}", "--set", f"backend.name={row.get('backend', 'cpu')}"]
    # Nobody looks at the figures, and an epoch on a GPU is shorter than its checkpoint.
    options += ["--set", "logging.figures=false", "--set", "checkpoint_seconds=30"]
    other = ["--dataset", dataset] if kind == "train" else ["--set", f"dataset={dataset}"]
    options += other if dataset else []
    options += ["--resume"] if kind == "train" and folder.exists() else []
    run(kind, *arguments, *options)
    if kind == "sweep":
        with open(folder / "results.csv", newline="") as lines:
            [cell] = [line for line in csv.DictReader(lines) if line["name"] == row["cell"]]
        folder = folder / cell["run_dir"]
    epochs = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    seconds = sum(sum(epoch["seconds"].values()) for epoch in epochs)
    last = epochs[-1]
    if "read" in row:
        words = [str(folder) if word == "RUN" else word for word in shlex.split(row["read"])[1:]]
        last |= {"accuracy": json.loads(run(*words, "--json"))["accuracy"]}
    rounded = lambda share: None if share is None else round(share, 4)
    found = {"accuracy": rounded(last["accuracy"]), "head_accuracy": rounded(last.get("head_accuracy"))}
    return {"seed": seed, **found, "seconds": round(seconds, 1)}, folder


def machine(row, folder):
    """The device that a run says it was on; the cores of a processor, which has no name of its own."""
    if "backend" in row:
        return json.loads((folder / "summary.json").read_text())["device"]
    with open("/proc/cpuinfo") as lines:
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} cores of {name}"


def head():
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, text=True, capture_output=True)
    return told.stdout.strip()


def measure(names):
    if unknown := [name for name in names if name not in rows()]:
        raise ValueError(f"no row {unknown[0]}: {', '.join(rows())}")
    for name in names:
        path = ROWS / f"{name}.json"
        row = read(path)
        commit = os.environ.get("FF_RESULTS_COMMIT") or head()
        # Cells of one sweep share its folder.
        folder = RUNS / (Path(shlex.split(row["command"])[2]).stem if "cell" in row else name)
        results = []
        for seed in [result["seed"] for result in row["seeds"]]:
            result, trained = train(row, seed, folder / str(seed))
            results.append(result)
            print(f"{name}: {results[-1]}", file=sys.stderr, flush=True)
        row["seeds"] = results
        row |= statistic(results)
        row |= {"commit": commit, "machine": machine(row, trained), "date": datetime.date.today().isoformat()}
        path.write_text(json.dumps(row, indent=2, ensure_ascii=False) + "\n")
        if "cell" not in row:
            shutil.rmtree(folder)


def statistic(results):
    """Mean and standard deviation of the accuracy over the seeds."""
    values = [result["accuracy"] for result in results]
    sd = round(statistics.stdev(values), 6) if len(values) > 1 else None
    return {"mean": round(statistics.mean(values), 6), "sd": sd}


def stated(percent):
    """Mean ± standard deviation over the seeds, and their number."""
    if None in percent:
        return "–"
    if len(percent) == 1:
        return f"{percent[0]:.2f} % (one seed)"
    return f"{statistics.mean(percent):.2f} ± {statistics.stdev(percent):.2f} %, n = {len(percent)}"


def percent(row, key, of=lambda share: share):
    """A share of each seed, or what is made of it."""
    return [None if seed[key] is None else 100 * of(seed[key]) for seed in row["seeds"]]


def data(row):
    return row["dataset"] + (f" ({row['note']})" if "note" in row else "")


def command(row):
    """What to type for the first seed."""
    seed = f"--set seed={row['seeds'][0]['seed']}" if "cell" in row else f"--seed {row['seeds'][0]['seed']}"
    return f"{row['command']} {seed}" + (f" && {row['read']}" if "read" in row else "")


def lines(heads, cells):
    """A table in Markdown."""
    written = [["---"] * len(heads), *cells]
    return "\n".join(["", *("| " + " | ".join(map(str, line)) + " |" for line in [heads, *written]), "", ""])


def accuracies(found):
    """The first table: accuracy of each row, in the order that the rows give themselves."""
    heads = ["data", "network", "recipe", "epochs", "test accuracy", "standard error of the test set", "by the head", "command"]
    cells = []
    for row in sorted((row for row in found if "order" in row), key=lambda row: row["order"]):
        accuracy, head = (stated(percent(row, key)) for key in ("accuracy", "head_accuracy"))
        error = 100 * math.sqrt(row["mean"] * (1 - row["mean"]) / row["test_images"])
        names = [data(row), row["network"], f"`{row['recipe']}`", row["epochs"]]
        cells.append([*names, accuracy, f"{error:.2f}", head, f"`{command(row)}`"])
    return lines(heads, cells)


def beside_the_paper(found):
    """The second table: test errors of the paper's experiments and ours."""
    heads = ["section", "experiment", "test error in the paper", "ours", "by the head", "network", "epochs", "command"]
    cells = []
    for row in sorted((row for row in found if "paper" in row), key=lambda row: (row["paper"]["section"], row["paper"]["error"])):
        paper = row["paper"]
        ours, head = (stated(percent(row, key, lambda share: 1 - share)) for key in ("accuracy", "head_accuracy"))
        experiment = paper["experiment"] + (f" ({row['note']})" if "note" in row else "")
        size = [row["network"], row["epochs"]]
        cells.append([paper["section"], experiment, f"{paper['error']} %", ours, head, *size, f"`{command(row)}`"])
    return lines(heads, cells)


TABLES = {"results": accuracies, "paper": beside_the_paper}


def split(readme, name):
    """The README before, in, and after a table."""
    before, rest = readme.split(f"<!-- {name} -->\n")
    inside, after = rest.split(f"<!-- /{name} -->")
    return before, inside, after


def write_tables():
    readme, found = README.read_text(), rows().values()
    for name, table in TABLES.items():
        before, _, after = split(readme, name)
        readme = f"{before}<!-- {name} -->\n{table(found)}<!-- /{name} -->{after}"
    README.write_text(readme)


def check(repeated):
    """Every difference, in a line."""
    readme, found = README.read_text(), rows()
    for name, table in TABLES.items():
        if split(readme, name)[1] != table(found.values()):
            yield f"README.md: the table of {name} is not that of experiments/results: python3 scripts/results.py table"
    for name, row in found.items():
        if statistic(row["seeds"]) != {key: row[key] for key in ("mean", "sd")}:
            yield f"{name}: mean and sd are not those of its seeds: {statistic(row['seeds'])}"
        if not repeated or not row["cheap"]:
            continue
        for said in row["seeds"]:
            with tempfile.TemporaryDirectory() as folder:
                again, _ = train(row, said["seed"], Path(folder) / "run")
            for key in ("accuracy", "head_accuracy"):
                if again[key] != said[key]:
                    yield f"{name}, seed {said['seed']}: {key} is {again[key]}, not {said[key]} as its file says"
            print(f"{name}, seed {said['seed']}: repeated", file=sys.stderr, flush=True)


def main():
    match sys.argv[1:]:
        case ["measure", *names] if names:
            measure(names)
        case ["table"]:
            write_tables()
        case ["check"] | ["check", "--table"] as words:
            differences = list(check(repeated=len(words) == 1))
            print("\n".join(differences) or "All results are as the README states them.")
            sys.exit(bool(differences))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
        print(f"results.py: {error}", file=sys.stderr)
        sys.exit(2)
