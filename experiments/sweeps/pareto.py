"""Two sweeps of several objectives, and their fronts: results/pareto.csv, results/pareto.json, pareto.png.

    python experiments/sweeps/pareto.py [FOLDER]

The sweeps lie in FOLDER (outputs/sweeps/pareto by default); the same command goes on, or only draws again.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import matplotlib
import polars as pl
from common import RESULTS, TWO_PROCESSES, WITHOUT_TEXT, command, place, run, seconds, study
from matplotlib.axes import Axes

matplotlib.use("Agg")
import matplotlib.pyplot as plt

RECALL, PRECISION, F1, COVERAGE = (f"valid/{name}@20" for name in ("recall", "precision", "f1", "coverage"))
TRIALS = "hydra.sweeper.n_trials=24"
SWEEPS = {
    "accuracy": [
        "sweep=accuracy",
        "features=minilm",
        "input=choice(id,id_plus_text)",
        "encoder=choice(lightgcn,gcn)",
        "dim=choice(16,32)",
        "baselines=popularity_and_item_knn",
        "trainer.max_epochs=8",
        TRIALS,
    ],
    "accuracy_and_coverage": [
        "sweep=accuracy_and_coverage",
        "hydra.sweeper.sampler.population_size=8",
        *WITHOUT_TEXT,
        "encoder=lightgcn",
        "dim=16",
        "trainer.max_epochs=8",
        TRIALS,
    ],
}


def main() -> None:
    """Search, then table, numbers and picture."""
    folder = place("pareto")
    tables, facts = {}, {}
    for name, words in SWEEPS.items():
        run(command(folder / name, *words, *TWO_PROCESSES))
        tables[name] = points(folder / name)
        facts[name] = {"seconds": seconds(folder / name), **told(tables[name])}
    together = pl.concat([t.with_columns(sweep=pl.lit(n)) for n, t in tables.items()], how="diagonal_relaxed")
    together.write_csv(RESULTS / "pareto.csv")
    (RESULTS / "pareto.json").write_text(json.dumps(facts, indent=2) + "\n")
    draw(tables)
    print(json.dumps(facts, indent=2))


def points(folder: Path) -> pl.DataFrame:
    """The sweep's trained trials: settings, the four metrics, whether one is on the front."""
    front = [trial.number for trial in study(folder).best_trials]
    frame = pl.read_csv(folder / "trials.csv").filter(pl.col("same_as").is_null(), state="complete")
    settings = [name for name in frame.columns if name.startswith("param:")]
    return frame.select("trial", *settings, RECALL, PRECISION, F1, COVERAGE, front=pl.col("trial").is_in(front))


def told(table: pl.DataFrame) -> dict[str, object]:
    """Sizes, the best trial of each metric, and rank correlations with recall."""
    best = {name: table.sort(name)["trial"][-1] for name in (RECALL, PRECISION, F1, COVERAGE)}
    others = (PRECISION, F1, COVERAGE)
    ranks = {name: round(table.select(pl.corr(RECALL, name, method="spearman")).item(), 3) for name in others}
    return {
        "trained": len(table),
        "front": int(table["front"].sum()),
        "best_of": best,
        "correlation_with_recall": ranks,
    }


def draw(tables: Mapping[str, pl.DataFrame]) -> None:
    """Both fronts side by side."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    panel(left, tables["accuracy"], PRECISION, "param:encoder")
    panel(right, tables["accuracy_and_coverage"], COVERAGE, "param:scorer")
    left.set_title("recall, precision, F1: nearly one aim", loc="left", fontweight="bold")
    right.set_title("recall and coverage: a trade-off", loc="left", fontweight="bold")
    figure.savefig(RESULTS.parent / "pareto.png", dpi=120)


def panel(axes: Axes, table: pl.DataFrame, other: str, colour: str) -> None:
    """One sweep's trials by recall and an ``other`` objective, coloured by a setting; its front ringed and joined."""
    for (value,), part in table.group_by(colour, maintain_order=True):
        axes.scatter(part[RECALL], part[other], label=value, s=28, alpha=0.8)
    front = table.filter("front").sort(RECALL)
    axes.plot(front[RECALL], front[other], "o-", mfc="none", mec="black", ms=11, color="black", lw=0.8, label="front")
    axes.set(xlabel=f"{RECALL}", ylabel=other)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


if __name__ == "__main__":
    main()
