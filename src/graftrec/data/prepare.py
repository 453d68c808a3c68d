"""From a source to a Dataset: aggregate, filter, number, split."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.interactions import Interactions
from graftrec.data.sources.base import RawData, Source
from graftrec.data.splits.base import Parts, Split
from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError, check_choice

PROTOCOLS = ("clean", "paper")


def prepare(source: Source, filter: Filter, split: Split, protocol: str = "clean") -> Dataset:
    """Read ``source`` and make the data set that a run works on."""
    check_choice("protocol", protocol, PROTOCOLS)
    return split_dataset(source.read(), source, filter, split, protocol)


def split_dataset(raw: RawData, source: Source, filter: Filter, split: Split, protocol: str) -> Dataset:
    """The part of ``prepare`` after reading."""
    rows = filter.rows(raw.interactions)
    pairs = aggregate(rows)
    kept = filter.core(pairs)
    if kept.is_empty():
        raise InputError(f"{filter} leaves none of {len(pairs):,} pairs of data={source.name}; loosen the filter.")
    users, items = (Vocabulary.of(name, kept[name]) for name in ("user", "item"))
    interactions = _number(kept, users, items)
    parts = split(interactions, source.split_seed, protocol)
    counts = {
        "rows": len(raw.interactions),
        "pairs": len(pairs),
        "repeated rows": len(rows) - len(pairs),
        "rows outside rating or time": len(raw.interactions) - len(rows),
        "pairs below the k-core": len(pairs) - len(kept),
        **parts.dropped,
        **_held_out_nodes(parts),
        **_unknown_ids(raw, source),
    }
    return Dataset(
        id=_dataset_id(source, filter, split.id + parts.id_suffix),
        users=users,
        items=items,
        train=parts.train,
        valid=parts.valid,
        test=parts.test,
        item_text=_align(raw.items, items, source.item_text),
        user_text=_align(raw.users, users, source.user_text),
        item_table=_align(raw.items, items, _others(raw.items, items, source.item_text)),
        user_table=_align(raw.users, users, _others(raw.users, users, source.user_text)),
        counts=counts,
        leaky=parts.leaky,
        cold=parts.cold,
    )


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


def _number(pairs: pl.DataFrame, users: Vocabulary, items: Vocabulary) -> Interactions:
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


def _held_out_nodes(parts: Parts) -> dict[str, int]:
    """How many nodes the split holds out whole."""
    if parts.cold is None:
        return {}
    return {f"{parts.cold}s held out": sum(len(np.unique(getattr(p, parts.cold))) for p in (parts.valid, parts.test))}


def _unknown_ids(raw: RawData, source: Source) -> dict[str, int]:
    """Rows of the text tables whose id no interaction has: they are left out. Refuses a table without any other."""
    counts: dict[str, int] = {}
    for key, table, texts in (("item", raw.items, source.item_text), ("user", raw.users, source.user_text)):
        if table is None or not texts:
            continue
        known = Vocabulary.of(key, raw.interactions[key])
        unknown = int((known.find(table[key]) < 0).sum())
        if unknown == len(table):
            raise InputError(
                f"None of the {unknown:,} {key} ids of the {key} table (first: {table[key].first()!r}) is in the "
                f"interactions (such as {known.ids[0]!r}); write ids alike in both tables, or change data.{key}s."
            )
        counts |= {f"{key} texts of unknown ids": unknown} if unknown else {}
    return counts


def _others(table: pl.DataFrame | None, vocabulary: Vocabulary, columns: Sequence[str]) -> list[str]:
    """The columns of a table that are neither ids nor text."""
    return [] if table is None else [name for name in table.columns if name not in {vocabulary.name, *columns}]


def _align(table: pl.DataFrame | None, vocabulary: Vocabulary, columns: Sequence[str]) -> pl.DataFrame | None:
    """``columns`` in vocabulary order; null where the table has no row."""
    if table is None or not columns:
        return None
    key = vocabulary.name
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(f"data.{key}_text names {missing[0]!r}, but the {key} table has {table.columns}.")
    ids = vocabulary.ids.to_frame()
    if table[key].dtype != vocabulary.ids.dtype:  # 17 in one table, "i17" in the other
        table, ids = (frame.with_columns(pl.col(key).cast(pl.String)) for frame in (table, ids))
    return ids.join(table, on=key, how="left", maintain_order="left").select(list(columns))


def _dataset_id(source: Source, filter: Filter, split_id: str) -> str:
    parts = [split_id, filter.id, f"seed{source.split_seed}" if source.split_seed else ""]
    return f"{source.name}/{'-'.join(part for part in parts if part)}"
