"""Draws docs/ablations.png and writes docs/ablations.md from a finished sweep of experiments/knobs.toml.

usage: ablations.py SWEEP_DIRECTORY
"""

import sys
import tomllib
from pathlib import Path

import forward_forward as ff
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
EXPERIMENT = HERE.parent / "experiments" / "knobs.toml"
TEXT = """# What each knob is worth

One thing is changed at a time: test accuracy on `digits` (1,442 images to train on, 355 to test) after 30 epochs at 2×200,
mean and standard deviation of three seeds. One test image is 0.28 points. A small set and a short training: what costs
accuracy here may not on MNIST, and what speeds learning up looks better than it is in the end. It costs minutes to ask the
same of your own data:

```sh no-run
ff sweep experiments/knobs.toml --set dataset=idx:mine
```

![Accuracy with one knob changed, for three recipes](ablations.png)
"""


def main(directory):
    cells = tomllib.loads(EXPERIMENT.read_text())["cell"]
    results = ff.load_sweep(directory)
    seeds = len(results) // len(cells)
    text, panels = TEXT, {}
    for index, cell in enumerate(cells):
        accuracy = 100 * results["accuracy"].iloc[index * seeds : (index + 1) * seeds]
        recipe = cell.pop("recipe")
        changed = ", ".join(f"{knob} = {value}" for knob, value in knobs(cell))
        panels.setdefault(recipe, []).append((changed, accuracy.mean(), accuracy.std()))
    for recipe, rows in panels.items():
        _, base, _ = rows[0]
        text += f"\n## {recipe}\n\n| changed | accuracy | difference |\n|---|---|---|\n"
        for changed, mean, deviation in rows:
            name = f"`{changed}`" if changed else "nothing"
            difference = f"{mean - base:+.2f}" if changed else ""
            text += f"| {name} | {mean:.2f} ± {deviation:.2f} % | {difference} |\n"
    (HERE / "ablations.md").write_text(text)
    draw({recipe: rows for recipe, rows in panels.items() if len(rows) > 1})


def knobs(table, name=""):
    """The knobs of a cell: (dotted name as the file writes it, value)."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from knobs(value, f"{name}{key}.")
        else:
            yield name + key, value


def draw(panels):
    heights = [len(rows) for rows in panels.values()]
    figure, all_axes = plt.subplots(
        len(panels), 1, figsize=(8, 0.24 * sum(heights) + 1), sharex=True, height_ratios=heights
    )
    for axes, (recipe, rows) in zip(all_axes, panels.items()):
        labels = [changed or recipe for changed, _, _ in rows][::-1]
        means = [mean for _, mean, _ in rows][::-1]
        deviations = [deviation for _, _, deviation in rows][::-1]
        axes.errorbar(means, range(len(rows)), xerr=deviations, fmt="o", capsize=3, markersize=4)
        axes.axvline(means[-1], color="gray", linewidth=0.8)
        axes.set_yticks(range(len(rows)), labels, fontsize=8)
        axes.set_title(recipe, fontsize=9, loc="left")
        axes.set_ymargin(0.6 / len(rows))
        axes.grid(axis="x", alpha=0.3)
    figure.supxlabel("test accuracy on digits in %, mean ± standard deviation of 3 seeds", fontsize=9)
    figure.tight_layout()
    figure.savefig(HERE / "ablations.png", dpi=110)


if __name__ == "__main__":
    main(sys.argv[1])
