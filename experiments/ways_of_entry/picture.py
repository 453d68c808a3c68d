"""Pictures from run.py's csv files: lift.png (by item degree), encoders.png (encoder x way). Needs matplotlib.

python experiments/ways_of_entry/picture.py
"""

from pathlib import Path

import matplotlib
import numpy as np
import polars as pl

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
SETS = ("movielens_small", "amazon_office", "online_retail")
LABELS = ("text, minilm", "text, random", "init, minilm", "init, random")
DARK = 28  # percent from which a cell's colour asks for white letters
COLOURS = {"minilm": "#0b7a75", "smollm2": "#d17a22", "hashing": "#8a8a8a", "random": "#c9c9c9"}


def lift() -> None:
    """Recall@20 of a way over that of ids alone, by the items' degree in training: one panel a data set."""
    strata = pl.read_csv(HERE / "strata.csv").filter(pl.col("kind") == "item degree", pl.col("part") == "ways")
    results = pl.read_csv(HERE / "results.csv").filter(pl.col("part") == "ways", pl.col("way") != "")
    sets = [data for data in SETS if data in set(strata["data"])]
    figure, panels = plt.subplots(1, len(sets), figsize=(5 * len(sets), 3.8), layout="constrained", squeeze=False)
    for panel, data in zip(panels[0], sets, strict=True):
        here = strata.filter(pl.col("data") == data)
        ids = here.filter(pl.col("way") == "id")
        best = results.filter(pl.col("data") == data, pl.col("features") == "minilm").sort("valid/ndcg@20")["way"][-1]
        for features, colour in COLOURS.items():
            one = here.filter(pl.col("way") == best, pl.col("features") == features)
            if len(one) == len(ids):
                change = 100 * (one["recall@20"] - ids["recall@20"])
                panel.plot(ids["stratum"], change, marker="o", color=colour, label=features)
        panel.axhline(0, color="black", linewidth=0.8)
        panel.set_title(f"{data}: {best}", loc="left", fontweight="bold")
        panel.set_xlabel("training degree of the items, cold to warm")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel("recall@20 over ids alone, points")
    panels[0][-1].legend(frameon=False)
    figure.savefig(HERE / "lift.png", dpi=120)


def encoders() -> None:
    """Mean recall@20 over that of ids alone in percent: encoder x way, one panel a data set."""
    results = pl.read_csv(HERE / "results.csv").filter(pl.col("part") == "encoders", pl.col("way") != "")
    means = results.group_by("data", "encoder", "way", "features", maintain_order=True).agg(pl.col("recall@20").mean())
    sets = [data for data in SETS if data in set(means["data"])]
    figure, panels = plt.subplots(1, len(sets), figsize=(6.5 * len(sets), 3.8), layout="constrained", squeeze=False)
    for panel, data in zip(panels[0], sets, strict=True):
        here = means.filter(pl.col("data") == data).with_columns(label=pl.col("way") + ", " + pl.col("features"))
        grid = here.pivot("label", index="encoder", values="recall@20").sort("id, none", descending=True)
        change = 100 * (grid.select(pl.col(LABELS) / pl.col("id, none")).to_numpy() - 1)
        panel.imshow(change, cmap="RdBu", vmin=-40, vmax=40, aspect="auto")
        panel.set_xticks(range(len(LABELS)), LABELS)
        panel.set_yticks(range(len(grid)), grid["encoder"])
        for (row, column), value in np.ndenumerate(change):
            colour = "white" if abs(value) > DARK else "black"
            panel.text(column, row, f"{value:+.0f} %", ha="center", va="center", color=colour)
        panel.set_title(f"{data}: recall@20 over ids alone", loc="left", fontweight="bold")
    figure.savefig(HERE / "encoders.png", dpi=120)


if __name__ == "__main__":
    lift()
    encoders()
