"""Is gowalla's test set a random sample of each user's items? Shares of items by popularity: split.md.

python experiments/lightgcn_gowalla/split.py

Beside the test set stand the last and the first tenth of each user's list in the training file. Were an item's share
in a part a matter of chance, z = (share - mean share) / its binomial deviation would have a standard deviation of 1,
and no correlation with the z of the test set.
"""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import markdown  # noqa: E402

from graftrec.pipeline import build  # noqa: E402
from graftrec.pipeline.composed import composed  # noqa: E402

BOUNDS = (0, 20, 50, 100, 300, 1000, 10**9)  # interactions of an item in train and test
ENOUGH = 50  # of them, for a z


def main() -> None:
    """Write split.md."""
    rows = build.read(composed(["data=gowalla"])).interactions
    place = pl.int_range(pl.len()).over("user") / pl.len().over("user")
    train = rows.filter(pl.col("part") == 0).with_columns(place.alias("place"))
    parts = {
        "test set": (rows, rows["part"] == 2),
        "last tenth of the training lists": (train, train["place"] >= 0.9),
        "first tenth of the training lists": (train, train["place"] < 0.1),
    }
    counts = rows.group_by("item").len("interactions")
    lines, test = [], np.empty(0)
    for name, (whole, chosen) in parts.items():
        items = whole.with_columns(chosen.alias("chosen")).group_by("item").agg(pl.len(), pl.sum("chosen"))
        items = items.join(counts, on="item").sort("item")
        mean = items["chosen"].sum() / items["len"].sum()
        groups = [
            items.filter(pl.col("interactions").is_between(low, high, closed="left")) for low, high in pairwise(BOUNDS)
        ]
        shares = [group["chosen"].sum() / group["len"].sum() / mean for group in groups]
        known = items.filter(pl.col("interactions") >= ENOUGH)
        length = known["len"].to_numpy()
        z = (known["chosen"].to_numpy() - mean * length) / np.sqrt(mean * (1 - mean) * length)
        test = test if len(test) else z
        correlation = f"{np.corrcoef(z, test)[0, 1]:.2f}"
        lines.append([name, f"{mean:.3f}", *(f"{share:.2f}" for share in shares), f"{z.std():.2f}", correlation])
    names = [f"{low:,} to {high - 1:,}" for low, high in pairwise(BOUNDS[:-1])] + [f"{BOUNDS[-2]:,} up"]
    header = ["part", "share of interactions", *names, "deviation of z", "correlation of z with the test set's"]
    (HERE / "split.md").write_text(markdown(header, lines), encoding="utf-8")
    print((HERE / "split.md").read_text())


if __name__ == "__main__":
    main()
