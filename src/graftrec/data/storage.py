"""A data set as a folder of parquet files."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from graftrec.data.dataset import Dataset
from graftrec.data.files import written
from graftrec.data.interactions import Interactions
from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError

ARRAYS = ("user", "item", "count", "weight", "time", "order")


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write everything that evaluation and recommendation need into ``folder``."""
    names = ["train", "test"] if dataset.leaky else ["train", "valid", "test"]
    names += [] if dataset.edges is None else ["edges"]
    parts = [
        pl.DataFrame({f: getattr(getattr(dataset, name), f) for f in ARRAYS}).with_columns(part=pl.lit(name))
        for name in names
    ]
    tables = {"interactions": pl.concat([t.drop([c for c in t.columns if t[c].dtype == pl.Null]) for t in parts])}
    for vocabulary, text, others in (
        (dataset.users, dataset.user_text, dataset.user_table),
        (dataset.items, dataset.item_text, dataset.item_table),
    ):
        named = [("text", text), ("table", others)]
        columns = [t.rename({name: f"{kind}:{name}" for name in t.columns}) for kind, t in named if t is not None]
        tables[f"{vocabulary.name}s"] = pl.concat([vocabulary.ids.alias("id").to_frame(), *columns], how="horizontal")
    for name, table in tables.items():
        with written(folder / f"{name}.parquet", "hydra.run.dir") as partial:
            table.write_parquet(partial)
    facts = {name: getattr(dataset, name) for name in ("id", "hash", "leaky", "cold", "counts")}
    with written(folder / "dataset.json", "hydra.run.dir") as partial:
        partial.write_text(json.dumps(facts, indent=2))


def load_dataset(folder: Path) -> Dataset:
    """Read what ``save_dataset`` wrote; refuses files whose content no longer has the recorded hash."""
    try:
        facts = json.loads((folder / "dataset.json").read_text())
        dataset, written = _read_dataset(folder, facts), facts["hash"]
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise InputError(f"The data folder {folder} is damaged or incomplete: {error}") from error
    if dataset.hash != written:
        raise InputError(f"{folder} holds other data (hash {dataset.hash}) than it was written with ({written}).")
    return dataset


def _read_dataset(folder: Path, facts: dict[str, Any]) -> Dataset:
    table = pl.read_parquet(folder / "interactions.parquet")
    (users, user_text, user_table), (items, item_text, item_table) = (
        _read_nodes(folder, name) for name in ("user", "item")
    )
    parts = {
        name: _interactions(table.filter(pl.col("part") == name), users, items)
        for name in ("train", "valid", "test", "edges")
        if name != "edges" or (table["part"] == "edges").any()
    }
    if facts["leaky"]:
        parts["valid"] = parts["test"]
    return Dataset(
        facts["id"],
        users,
        items,
        **parts,
        item_text=item_text,
        user_text=user_text,
        item_table=item_table,
        user_table=user_table,
        counts=facts["counts"],
        leaky=facts["leaky"],
        cold=facts.get("cold"),
    )


def _read_nodes(folder: Path, name: str) -> tuple[Vocabulary, pl.DataFrame | None, pl.DataFrame | None]:
    table = pl.read_parquet(folder / f"{name}s.parquet")
    text, others = (
        table.select(
            pl.col(column).alias(column.removeprefix(kind)) for column in table.columns if column.startswith(kind)
        )
        for kind in ("text:", "table:")
    )
    ids = Vocabulary(name, table["id"].alias(name))
    return ids, text if text.width else None, others if others.width else None


def _interactions(table: pl.DataFrame, users: Vocabulary, items: Vocabulary) -> Interactions:
    known = {f.name for f in fields(Interactions)} & set(ARRAYS) & set(table.columns)
    arrays: dict[str, np.ndarray] = {name: table[name].to_numpy() for name in known}
    return Interactions(len(users), len(items), **arrays)  # type: ignore[arg-type]
