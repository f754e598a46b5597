"""The README's results: measured over seeds, kept in experiments/results/*.json, and repeated.

    results.py measure NAME...   runs a row's command for each of its seeds, and writes what came out into its file
    results.py table             writes the README's table from the files
    results.py check [--table]   fails where the README's table differs from the files, or a cheap row, repeated, from
                                 what its file says; --table repeats none

A row's file holds `data`, `network`, `recipe`, `epochs`, `arguments` (of `ff train`), `cheap` (repeated by `check`), and,
measured, `commit`, `machine`, `date` and for each seed `accuracy`, `head` (percent of the test set that is recognized after
the last epoch, by what the recipe predicts with and by the head; null without a head) and `seconds` (of training and evaluation, beside whatever else the machine did: no
benchmark). FF names the program.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = ROOT / "experiments" / "results"
README = ROOT / "README.md"
BEGIN, END = "<!-- results -->\n", "<!-- /results -->"
FF = os.environ.get("FF", ROOT / "target" / "release" / "ff")


def rows():
    """Every row by its name, in the order of the table."""
    files = [(path.stem, json.loads(path.read_text())) for path in sorted(ROWS.glob("*.json"))]
    return dict(sorted(files, key=lambda named: named[1]["order"]))


def train(row, seed):
    """What the last epoch of one seed gives."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--seed", seed, "--backend", "cpu", "--log-dir", Path(folder) / "run", "--progress", "none"]
        command = [FF, "train", *row["arguments"], *options]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        epochs = [json.loads(line) for line in (Path(folder) / "run" / "metrics.jsonl").read_text().splitlines()]
    percent = lambda share: None if share is None else round(100 * share, 2)
    seconds = sum(sum(epoch["seconds"].values()) for epoch in epochs)
    last = epochs[-1]
    return {"accuracy": percent(last["accuracy"]), "head": percent(last.get("head_accuracy")), "seconds": round(seconds, 1)}


def machine():
    with open("/proc/cpuinfo") as lines:
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} cores of {name}"


def measure(names):
    for name in names:
        path = ROWS / f"{name}.json"
        row = json.loads(path.read_text())
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, text=True, capture_output=True)
        row |= {"commit": commit.stdout.strip(), "machine": machine(), "date": datetime.date.today().isoformat()}
        for seed in row["seeds"]:
            row["seeds"][seed] = train(row, seed)
            print(f"{name}, seed {seed}: {row['seeds'][seed]}", file=sys.stderr, flush=True)
            path.write_text(json.dumps(row, indent=2, ensure_ascii=False) + "\n")


def measured(row):
    return [result for result in row["seeds"].values() if result]


def stated(values):
    """Mean ± standard deviation over the seeds, and their number."""
    if any(value is None for value in values):
        return "–"
    if len(values) == 1:
        return f"{values[0]:.2f} % (one seed)"
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f} %, n = {len(values)}"


def table():
    lines = ["", "| data | network | recipe | epochs | test accuracy | by the head | `ff train …` |", "|---" * 7 + "|"]
    for row in rows().values():
        results = measured(row)
        if not results:
            continue
        accuracy = [stated([result[key] for result in results]) for key in ("accuracy", "head")]
        seeds = next(iter(row["seeds"])) if len(results) == 1 else "1"
        command = " ".join([*row["arguments"], "--seed", seeds])
        cells = [row["data"], row["network"], f"`{row['recipe']}`", row["epochs"], *accuracy, f"`{command}`"]
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
        if not repeated or not row["cheap"]:
            continue
        for seed, said in row["seeds"].items():
            found = train(row, seed)
            for key in ("accuracy", "head"):
                if found[key] != said[key]:
                    yield f"{name}, seed {seed}: {key} is {found[key]} %, not {said[key]} % as its file says"
            print(f"{name}, seed {seed}: repeated", file=sys.stderr, flush=True)


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
