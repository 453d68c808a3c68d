"""Our learning curve beside the published points: curve.csv and curve.png.

python experiments/lightgcn_gowalla/picture.py outputs/reproduce/lightgcn/gowalla/seed0      # needs matplotlib
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl

HERE = Path(__file__).resolve().parent
COLUMNS = ("recall@20", "precision@20", "f1@20", "ndcg@20")
PUBLISHED = {"about 100 epochs": (100, 0.166), "1,000 epochs, Table 3": (1000, 0.1823)}


def main(run: Path) -> None:
    """Read the run's metrics.csv; under protocol=paper its validation users are the test's."""
    curves = pl.read_csv(run / "metrics.csv", infer_schema_length=None).drop_nulls(f"valid/{COLUMNS[0]}")
    named = [pl.col(f"valid/{name}").alias(name) for name in COLUMNS]
    curve = curves.select((pl.col("epoch") + 1).alias("epochs"), *named)
    curve.write_csv(HERE / "curve.csv", float_precision=5)
    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    axes.plot(curve["epochs"], curve["recall@20"], marker="o", markersize=3, label="graftrec, seed 0")
    for (name, (epochs, recall)), marker in zip(PUBLISHED.items(), "sD", strict=True):
        axes.plot(epochs, recall, marker, color="black", label=f"{name}: {recall:.4f}".replace("0.", "."))
    axes.set(xscale="log", xlabel="epochs", ylabel="recall@20", title="LightGCN, 3 layers, BPR, gowalla")
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "curve.png", dpi=150)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
