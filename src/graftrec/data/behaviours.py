"""One behaviour is to be recommended, the others are evidence: edges of the graph and nothing else."""

import numpy as np
import polars as pl

from graftrec.data.aggregate import aggregate, number
from graftrec.data.interactions import Interactions
from graftrec.data.sources.base import Source
from graftrec.data.splits.base import Parts
from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError


def of_target(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The rows of ``data.target_behaviour``; all rows where none is named."""
    target = source.target_behaviour
    if target is None:
        return rows
    if "behaviour" not in rows.columns:
        raise InputError(f"data.target_behaviour={target} needs a behaviour column; set data.columns.behaviour.")
    wanted = rows.filter(pl.col("behaviour") == target)
    if wanted.is_empty():
        known = rows["behaviour"].unique().sort().to_list()
        raise InputError(f"data.target_behaviour={target}, but the {len(rows):,} rows hold {known}; name one of these.")
    return wanted


def edges_of(
    rows: pl.DataFrame, source: Source, pairs: Interactions, parts: Parts, users: Vocabulary, items: Vocabulary
) -> Interactions | None:
    """Pairs of all behaviours that the graph may know; None where no target is named.

    ``pairs`` are all pairs of the target, ``parts`` their split. Left out, whatever the behaviour: pairs that are not
    in training, nodes that the split holds out whole, and rows of the time when validation has begun.
    """
    target = source.target_behaviour
    if target is None:
        return None
    known = (users.find(rows["user"]) >= 0) & (items.find(rows["item"]) >= 0)
    if parts.until is not None:
        known &= ((rows["behaviour"] == target) | (rows["time"] < parts.until)).to_numpy()
    pooled = number(aggregate(rows.filter(pl.Series(known))), users, items)
    held_out = np.setdiff1d(pairs.keys, parts.train.keys, assume_unique=True)
    kept = ~np.isin(pooled.keys, held_out)
    if parts.cold is not None:
        degree = getattr(parts.train, f"{parts.cold}_degree")
        kept &= degree[getattr(pooled, parts.cold)] > 0
    return pooled.select(kept)
