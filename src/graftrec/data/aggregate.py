"""Raw rows to distinct, numbered pairs."""

import numpy as np
import polars as pl

from graftrec.data.interactions import Interactions
from graftrec.data.vocabulary import Vocabulary


def aggregate(rows: pl.DataFrame) -> pl.DataFrame:
    """Distinct (user, item) pairs: rows counted, weights summed, last time and order kept.

    A pair that a given split has in several parts stays in the first of train, valid, test: a held-out
    pair that is also in training could never be recommended.
    """
    columns: list[pl.Expr] = [pl.len().cast(pl.Int64).alias("count")]
    columns += [pl.col("weight").sum()] if "weight" in rows.columns else []
    columns += [pl.col(name).max() for name in ("time", "order") if name in rows.columns]
    columns += [pl.col("part").min()] if "part" in rows.columns else []
    if "behaviour" in rows.columns:
        names = sorted(rows["behaviour"].unique().to_list())
        columns += [(pl.col("behaviour") == name).sum().cast(pl.Int64).alias(f"behaviour:{name}") for name in names]
    return rows.group_by("user", "item").agg(columns)


def number(pairs: pl.DataFrame, users: Vocabulary, items: Vocabulary) -> Interactions:
    """Aggregated pairs of known users and items under their numbers, in the order of (user, item)."""
    numbered = pairs.with_columns(
        pl.Series("user", users.numbers(pairs["user"])), pl.Series("item", items.numbers(pairs["item"]))
    ).sort("user", "item")
    behaviours = [name for name in numbered.columns if name.startswith("behaviour:")]

    def column(name: str, dtype: type) -> np.ndarray | None:
        return numbered[name].to_numpy().astype(dtype) if name in numbered.columns else None

    return Interactions(
        num_users=len(users),
        num_items=len(items),
        user=numbered["user"].to_numpy(),
        item=numbered["item"].to_numpy(),
        count=numbered["count"].to_numpy(),
        weight=column("weight", np.float64),
        time=column("time", np.float64),
        order=column("order", np.float64),
        behaviour=numbered.select(behaviours).to_numpy() if behaviours else None,
        behaviours=tuple(name.removeprefix("behaviour:") for name in behaviours),
        part=column("part", np.int8),
    )
