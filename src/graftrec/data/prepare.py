"""From a source to a Dataset: aggregate, filter, number, split."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from graftrec.data.aggregate import aggregate, number
from graftrec.data.behaviours import edges_of, of_target
from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.sources.base import RawData, Source
from graftrec.data.splits.base import Parts, Split
from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError, check_choice

PROTOCOLS = ("clean", "paper")


def split_dataset(raw: RawData, source: Source, filter: Filter, split: Split, protocol: str) -> Dataset:
    """The data set that a run works on, from what ``source`` read. ``protocol`` is one of ``PROTOCOLS``."""
    check_choice("protocol", protocol, PROTOCOLS)
    rows = filter.rows(raw.interactions)
    wanted = of_target(rows, source)
    pairs = aggregate(wanted)
    kept = filter.core(pairs)
    if kept.is_empty():
        raise InputError(f"{filter} leaves none of {len(pairs):,} pairs of data={source.name}; loosen the filter.")
    users, items = (Vocabulary.of(name, kept[name]) for name in ("user", "item"))
    interactions = number(kept, users, items)
    parts = split(interactions, source.split_seed, protocol)
    counts = {
        "rows": len(raw.interactions),
        "pairs": len(pairs),
        "repeated rows": len(wanted) - len(pairs),
        "rows outside rating or time": len(raw.interactions) - len(rows),
        "pairs below the k-core": len(pairs) - len(kept),
        **parts.dropped,
        **_held_out_nodes(parts),
        **_unknown_ids(raw, source),
    }
    edges = edges_of(rows, source, interactions, parts, users, items)
    counts |= {} if edges is None else {"rows of other behaviours": len(rows) - len(wanted), "graph pairs": len(edges)}
    return Dataset(
        id=_dataset_id(source, filter, split.id + parts.id_suffix),
        users=users,
        items=items,
        train=parts.train,
        valid=parts.valid,
        test=parts.test,
        edges=edges,
        item_text=_align(raw.items, items, source.item_text),
        user_text=_align(raw.users, users, source.user_text),
        item_table=_align(raw.items, items, _others(raw.items, items, source.item_text)),
        user_table=_align(raw.users, users, _others(raw.users, users, source.user_text)),
        counts=counts,
        leaky=parts.leaky,
        cold=parts.cold,
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
    parts = [
        split_id,
        filter.id,
        source.target_behaviour or "",
        f"seed{source.split_seed}" if source.split_seed else "",
    ]
    return f"{source.name}/{'-'.join(part for part in parts if part)}"
