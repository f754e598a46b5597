"""Runs as MLflow shows them: to_mlflow.py FOLDER... (MLFLOW_TRACKING_URI says where to)"""

import json
import pathlib
import subprocess
import sys

import mlflow


def epochs(folder):
    """What each finished epoch gave; nothing of a run that failed in its first."""
    metrics = folder / "metrics.jsonl"
    return map(json.loads, metrics.read_text().splitlines()) if metrics.exists() else []


runs = json.loads(subprocess.check_output(["ff", "runs", "--json", *sys.argv[1:]]))
for run in runs:
    folder = pathlib.Path(run["run"])
    with mlflow.start_run(run_name=run.get("name", folder.name)):
        mlflow.log_params({knob: value for knob, value in run.items() if "." in knob})
        mlflow.set_tags({"directory": run["run"], "status": run["status"], "measured on": run.get("split")})
        for epoch in epochs(folder):
            numbers = {name: value for name, value in epoch.items() if isinstance(value, (int, float))}
            mlflow.log_metrics(numbers, step=numbers.pop("epoch"))
        mlflow.log_artifacts(folder / "figures", "figures")
