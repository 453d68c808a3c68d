"""Columns of the item and user tables as features, beside the text or alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError, check_choice
from graftrec.features.nodes import NodeFeatures, mean_of_items

SCALINGS = ("standard", "quantile")


@dataclass(frozen=True)
class NoColumns:
    """The text alone."""

    def __call__(self, dataset: Dataset, features: NodeFeatures) -> NodeFeatures:
        return features


@dataclass(frozen=True)
class Columns:
    """Names of a table's columns by kind; of a ``multi_valued`` one each cell holds several values."""

    numeric: Sequence[str] = ()
    categorical: Sequence[str] = ()
    multi_valued: Sequence[str] = ()

    def by_name(self) -> dict[str, str]:
        """The kind of each column; one column may be named without a list."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        named = {kind: [names] if isinstance(names, str) else names for kind, names in given.items()}
        return {name: kind for kind, names in named.items() for name in names}


@dataclass(frozen=True)
class TabularFeatures:
    """The named columns, fitted on the rows of nodes with training interactions.

    Numeric columns are scaled (``standard``: mean 0 and variance 1; ``quantile``: to a normal distribution), a missing
    number is 0 and marked beside; values of categorical and multi-valued columns that stand in fewer than
    ``min_frequency`` rows are left out or share one place. ``separators``: each of these characters ends a value.

    Items have [text | their columns | 0], users [text | mean of their training items' columns | their columns]. The
    columns weigh alike, and so do text and columns: each block has a mean squared length of 1 over the training rows.
    Items without text and without columns have no features and live on their ids, beside users with columns.
    """

    items: Columns
    users: Columns
    scaling: str = "standard"
    min_frequency: int = 2
    separators: str = "|,;"

    def __post_init__(self) -> None:
        check_choice("tabular.scaling", self.scaling, SCALINGS)
        if not self.items.by_name() and not self.users.by_name():
            raise InputError(
                "tabular=columns names no column; set tabular.items.numeric=[...], .categorical or .multi_valued, "
                "or the same of tabular.users, or tabular=none."
            )

    def __call__(self, dataset: Dataset, features: NodeFeatures) -> NodeFeatures:
        train = dataset.train
        item_rows, user_rows = train.item_degree > 0, train.user_degree > 0
        items = self._block("item", self.items, dataset.item_columns, dataset.num_items, item_rows)
        own = self._block("user", self.users, dataset.user_columns, dataset.num_users, user_rows)
        item_blocks = [items, np.zeros((dataset.num_items, own.shape[1]), np.float32)]
        user_blocks = [mean_of_items(train, items), own]
        if features.item is None:
            known = None if self.items.by_name() else np.zeros(dataset.num_items, dtype=bool)
            return NodeFeatures(np.hstack(user_blocks), np.hstack(item_blocks), None, known)
        scale = _scale(features.item, item_rows)
        none = np.zeros((dataset.num_users, features.item.shape[1]), np.float32)
        text = none if features.user is None else features.user * scale
        return NodeFeatures(np.hstack([text, *user_blocks]), np.hstack([features.item * scale, *item_blocks]))

    def _block(self, key: str, columns: Columns, table: pl.DataFrame | None, size: int, rows: np.ndarray) -> np.ndarray:
        """Vectors [size, F] of a table's columns, fitted on ``rows`` [size]; of width 0 where none is named."""
        if not columns.by_name():
            return np.zeros((size, 0), np.float32)
        checked = _checked(key, columns, table, rows)
        transformer = self._transformer(columns, int(rows.sum()))
        try:
            transformer.fit(checked.filter(pl.Series(rows)))
        except ValueError as error:  # of a vocabulary that min_frequency leaves empty
            raise InputError(f"tabular.{key}s: {error}; lower tabular.min_frequency or name other columns.") from error
        block = np.asarray(transformer.transform(checked), dtype=np.float32)
        places = [transformer.output_indices_[name] for name in columns.by_name()]
        parts = [block[:, place] * _scale(block[:, place], rows) for place in places]
        together = np.hstack(parts)
        return together * _scale(together, rows)

    def _transformer(self, columns: Columns, num_rows: int) -> Any:
        """scikit-learn's ColumnTransformer, one step a column, named by it."""
        from sklearn.compose import ColumnTransformer
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

        def numeric() -> Any:
            quantiles = QuantileTransformer(n_quantiles=min(1000, num_rows), output_distribution="normal")
            scaler = StandardScaler() if self.scaling == "standard" else quantiles
            return make_pipeline(scaler, SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=True))

        makers: dict[str, Callable[[], Any]] = {
            "numeric": numeric,
            "categorical": lambda: OneHotEncoder(
                min_frequency=self.min_frequency, handle_unknown="infrequent_if_exist", sparse_output=False
            ),
            "multi_valued": lambda: CountVectorizer(analyzer=self._values, binary=True, min_df=self.min_frequency),
        }
        steps = [
            (name, makers[kind](), name if kind == "multi_valued" else [name])
            for name, kind in columns.by_name().items()
        ]
        return ColumnTransformer(steps, sparse_threshold=0.0)

    def _values(self, cell: str) -> list[str]:
        """The values of a multi-valued cell, without the blanks around them."""
        for separator in self.separators[1:]:
            cell = cell.replace(separator, self.separators[0])
        return [value.strip() for value in cell.split(self.separators[0] or None) if value.strip()]


def _checked(key: str, columns: Columns, table: pl.DataFrame | None, rows: np.ndarray) -> pl.DataFrame:
    """The named columns, numbers as Float64 and others as String; refuses what cannot be used."""
    known = [] if table is None else table.columns
    for name, kind in columns.by_name().items():
        setting = f"tabular.{key}s.{kind}"
        if table is None or name not in known:
            raise InputError(
                f"{setting} names {name!r}, but the data set has "
                f"{f'{key} columns {known}; name one of these' if known else f'no {key} table; give data.{key}s'}."
            )
        if table[name].filter(pl.Series(rows)).drop_nulls().is_empty():
            raise InputError(
                f"{setting}: the column {name!r} has no value in the {rows.sum():,} rows of training; leave it out."
            )
    assert table is not None
    return pl.DataFrame(
        [_cast(table[name], kind, f"tabular.{key}s.{kind}") for name, kind in columns.by_name().items()]
    )


def _cast(column: pl.Series, kind: str, setting: str) -> pl.Series:
    """Numbers as Float64, missing ones as NaN; other values as text, missing ones empty."""
    if kind != "numeric":
        several = column.dtype == pl.List
        text = column.cast(pl.List(pl.String)).list.join("|") if several else column.cast(pl.String)
        return text.fill_null("")
    numbers = column.cast(pl.Float64, strict=False)
    bad = column.is_not_null() & (numbers.is_null() | numbers.is_infinite())
    if bad.any():
        raise InputError(
            f"{setting}: the column {column.name!r} holds {column.filter(bad)[0]!r}, which is no finite number; "
            f"name it under categorical or multi_valued, or mend the table."
        )
    return numbers.fill_null(float("nan"))


def _scale(block: np.ndarray, rows: np.ndarray) -> float:
    """What makes the mean squared length of ``rows`` 1; 1 for a block of zeros."""
    square = float(np.square(block[rows], dtype=np.float64).sum(axis=1).mean()) if block.shape[1] else 0.0
    return square**-0.5 if square > 0 else 1.0
