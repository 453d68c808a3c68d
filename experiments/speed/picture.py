"""Two pictures from the csv files: speed.png (epochs, evaluation) and scaling.png. Needs matplotlib.

PEERS/bin/python experiments/speed/picture.py
"""

import matplotlib
from common import HERE, RESULTS, Row, read, summarise

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OURS, PEER = "#0b7a75", "#b8b8b8"


def bars(axes: plt.Axes, summary: dict[str, Row], title: str, digits: int, fastest_low: bool) -> None:
    """Horizontal bars of medians with ranges, the best on top."""
    names = sorted(summary, key=lambda name: summary[name]["median"], reverse=fastest_low)
    middles = [summary[name]["median"] for name in names]
    ranges = [[m - summary[n]["min"] for n, m in zip(names, middles, strict=True)],
              [summary[n]["max"] - m for n, m in zip(names, middles, strict=True)]]  # fmt: skip
    colours = [OURS if "graftrec" in name else PEER for name in names]
    axes.barh(names, middles, xerr=ranges, color=colours, error_kw={"ecolor": "#555555", "capsize": 3})
    for index, name in enumerate(names):
        end = summary[name]["max"]
        axes.annotate(f"{middles[index]:,.{digits}f}", (end, index), (5, 0), textcoords="offset points", va="center")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.margins(x=0.18)
    axes.spines[["top", "right"]].set_visible(False)


def speed() -> None:
    """Seconds per epoch, users per second."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 3.6), layout="constrained")
    bars(left, summarise(read("epoch"), "epoch_s"), "Seconds per epoch (less is better)", 0, True)
    bars(right, summarise(read("evaluation"), "users_per_s"), "Users ranked per second (more is better)", 0, False)
    figure.suptitle("LightGCN-64, 3 layers, gowalla, one CPU thread: medians and ranges of interleaved rounds", x=0.5)
    figure.savefig(HERE / "speed.png", dpi=120)


def scaling() -> None:
    """Step and evaluation against edges."""
    rows = read("scaling")
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    names = list(dict.fromkeys(row["contestant"] for row in rows))
    edges = [next(row["edges"] for row in rows if row["contestant"] == name) for name in names]
    for column, label in (("step_ms", "ms per training step"), ("user_ms", "ms per user ranked")):
        summary = summarise(rows, column)
        middles = [summary[name]["median"] for name in names]
        axes.plot(edges, middles, marker="o", label=label)
        axes.fill_between(edges, *([summary[n][end] for n in names] for end in ("min", "max")), alpha=0.2)
    axes.set(xscale="log", yscale="log", xlabel="directed edges", title="LightGCN-64, 3 layers, one thread")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "scaling.png", dpi=120)


if __name__ == "__main__":
    if all((RESULTS / f"{name}.csv").is_file() for name in ("epoch", "evaluation")):
        speed()
    if (RESULTS / "scaling.csv").is_file():
        scaling()
