"""The README's results: measured over seeds, kept in experiments/results/*.json, and repeated.

    results.py measure NAME...   runs a row's command for each of its seeds, and writes what came out into its file; the same
                                 again goes on where it was stopped
    results.py table             writes the README's table from the files
    results.py check [--table]   fails where the README's table differs from the files, or a cheap row, repeated, from
                                 what its file says; --table repeats none

A row's file holds, chosen, `dataset`, `network`, `recipe`, `epochs`, `command`, `seeds`, `test_images`, `cheap` (repeated by
`check`), `order` in the table, and perhaps `note` and `backend` (cpu, unless it says another); measured, `commit`, `machine`, `date`, `mean` and `sd` over the seeds, and for each
seed `accuracy` and `head_accuracy` (shares of the test set that are recognized after the last epoch, by what the recipe
predicts with and by the head; null without a head) and `seconds` (of training and evaluation, beside whatever else the
machine did: no benchmark). FF names the program; FF_RESULTS_DATASET a data set to measure on instead of the command's, which
the row's note then has to say; FF_RESULTS_COMMIT the commit where there is no checkout.
"""

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
BEGIN, END = "<!-- results -->\n", "<!-- /results -->"
FF = os.environ.get("FF", ROOT / "target" / "release" / "ff")


def rows():
    """Every row by its name, in the order of the table."""
    files = [(path.stem, json.loads(path.read_text())) for path in sorted(ROWS.glob("*.json"))]
    return dict(sorted(files, key=lambda named: named[1]["order"]))


def train(row, seed, folder):
    """What the last epoch of one seed gives; goes on with a training that lies in the folder."""
    arguments = shlex.split(row["command"])[1:]
    dataset = os.environ.get("FF_RESULTS_DATASET")
    options = ["--seed", seed, "--backend", row.get("backend", "cpu"), "--log-dir", folder, "--quiet"]
    # Nobody looks at the figures, and an epoch on a GPU is shorter than its checkpoint.
    options += ["--set", "logging.figures=false", "--set", "checkpoint_seconds=30"]
    options += ["--dataset", dataset] if dataset else []
    options += ["--resume"] if folder.exists() else []
    subprocess.run([str(part) for part in [FF, *arguments, *options]], check=True, stdout=subprocess.DEVNULL)
    epochs = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    seconds = sum(sum(epoch["seconds"].values()) for epoch in epochs)
    last = epochs[-1]
    rounded = lambda share: None if share is None else round(share, 4)
    found = {"accuracy": rounded(last["accuracy"]), "head_accuracy": rounded(last.get("head_accuracy"))}
    return {"seed": seed, **found, "seconds": round(seconds, 1)}


def machine(row, run):
    """The device that a run says it was on; the cores of a processor, which has no name of its own."""
    if "backend" in row:
        return json.loads((run / "summary.json").read_text())["device"]
    with open("/proc/cpuinfo") as lines:
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} cores of {name}"


def head():
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, text=True, capture_output=True)
    return told.stdout.strip()


def measure(names):
    for name in names:
        path = ROWS / f"{name}.json"
        row = json.loads(path.read_text())
        commit = os.environ.get("FF_RESULTS_COMMIT") or head()
        results = []
        for seed in [result["seed"] for result in row["seeds"]]:
            results.append(train(row, seed, RUNS / name / str(seed)))
            print(f"{name}: {results[-1]}", file=sys.stderr, flush=True)
        row["seeds"] = results
        row |= statistic(results)
        row |= {"commit": commit, "machine": machine(row, RUNS / name / str(seed)), "date": datetime.date.today().isoformat()}
        path.write_text(json.dumps(row, indent=2, ensure_ascii=False) + "\n")
        shutil.rmtree(RUNS / name)


def statistic(results):
    """Mean and standard deviation of the accuracy over the seeds."""
    values = [result["accuracy"] for result in results]
    sd = round(statistics.stdev(values), 6) if len(values) > 1 else None
    return {"mean": round(statistics.mean(values), 6), "sd": sd}


def stated(values):
    """Mean ± standard deviation over the seeds, and their number."""
    if any(value is None for value in values):
        return "–"
    percent = [100 * value for value in values]
    if len(percent) == 1:
        return f"{percent[0]:.2f} % (one seed)"
    return f"{statistics.mean(percent):.2f} ± {statistics.stdev(percent):.2f} %, n = {len(percent)}"


def table():
    heads = ["data", "network", "recipe", "epochs", "test accuracy", "standard error of the test set", "by the head", "command"]
    lines = ["", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows().values():
        results = row["seeds"]
        if "accuracy" not in results[0]:
            continue
        accuracy, head = (stated([result[key] for result in results]) for key in ("accuracy", "head_accuracy"))
        error = 100 * math.sqrt(row["mean"] * (1 - row["mean"]) / row["test_images"])
        command = f"{row['command']} --seed {results[0]['seed']}"
        data = row["dataset"] + (f" ({row['note']})" if "note" in row else "")
        cells = [data, row["network"], f"`{row['recipe']}`", row["epochs"], accuracy, f"{error:.2f}", head, f"`{command}`"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n\n"


def parts():
    """The README before, in, and after its table."""
    before, rest = README.read_text().split(BEGIN)
    inside, after = rest.split(END)
    return before, inside, after


def check(repeated):
    """Every difference, in a line."""
    if parts()[1] != table():
        yield "README.md: the table is not that of experiments/results: python3 scripts/results.py table"
    for name, row in rows().items():
        if "mean" in row and statistic(row["seeds"]) != {key: row[key] for key in ("mean", "sd")}:
            yield f"{name}: mean and sd are not those of its seeds: {statistic(row['seeds'])}"
        if not repeated or not row["cheap"]:
            continue
        for said in row["seeds"]:
            with tempfile.TemporaryDirectory() as folder:
                found = train(row, said["seed"], Path(folder) / "run")
            for key in ("accuracy", "head_accuracy"):
                if found[key] != said[key]:
                    yield f"{name}, seed {said['seed']}: {key} is {found[key]}, not {said[key]} as its file says"
            print(f"{name}, seed {said['seed']}: repeated", file=sys.stderr, flush=True)


def main():
    match sys.argv[1:]:
        case ["measure", *names] if names:
            measure(names)
        case ["table"]:
            before, _, after = parts()
            README.write_text(before + BEGIN + table() + END + after)
        case ["check"] | ["check", "--table"] as words:
            differences = list(check(repeated=len(words) == 1))
            print("\n".join(differences) or "All results are as the README states them.")
            sys.exit(bool(differences))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
