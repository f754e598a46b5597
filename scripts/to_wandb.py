"""Runs as Weights & Biases shows them: to_wandb.py FOLDER... (offline; `wandb sync wandb/offline-run-*` sends them)"""

import json
import pathlib
import subprocess
import sys

import wandb


def epochs(folder):
    """What each finished epoch gave; nothing of a run that failed in its first."""
    metrics = folder / "metrics.jsonl"
    return map(json.loads, metrics.read_text().splitlines()) if metrics.exists() else []


runs = json.loads(subprocess.check_output(["ff", "runs", "--json", *sys.argv[1:]]))
for run in runs:
    folder = pathlib.Path(run["run"])
    knobs = {knob: value for knob, value in run.items() if "." in knob}
    name = run.get("name", folder.name)
    with wandb.init(project="forward-forward", mode="offline", name=name, config=knobs, tags=run.get("tags")) as log:
        for epoch in epochs(folder):
            log.log(epoch, step=epoch["epoch"])
        log.summary.update({name: value for name, value in run.items() if "." not in name})
