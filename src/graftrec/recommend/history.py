"""What a user has done."""

import polars as pl

from graftrec.data.dataset import Dataset


def history(dataset: Dataset, user: int) -> pl.DataFrame:
    """All items of a user's number, latest first where times are known: item, part, weight, time, text columns."""
    names = ("train", "test") if dataset.leaky else ("train", "valid", "test")
    table = pl.concat([_items_of(dataset, user, name) for name in names])
    key = next((name for name in ("time", "order") if name in table.columns), None)
    return table if key is None else table.sort(key, descending=True, maintain_order=True)


def _items_of(dataset: Dataset, user: int, part: str) -> pl.DataFrame:
    interactions = getattr(dataset, part)
    chosen = interactions.select(interactions.user == user)
    columns = {name: getattr(chosen, name) for name in ("weight", "time", "order")}
    known = {name: values for name, values in columns.items() if values is not None}
    table = pl.DataFrame({"item": dataset.items.take(chosen.item), **known}).with_columns(part=pl.lit(part))
    return table if dataset.item_text is None else table.hstack(dataset.item_text[chosen.item])
