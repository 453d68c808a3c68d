"""Interactions and data sets written down as matrices."""

import numpy as np
import polars as pl

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.interactions import Interactions
from graftrec.data.prepare import split_dataset
from graftrec.data.sources.base import Source
from graftrec.data.splits.base import Split
from graftrec.data.vocabulary import Vocabulary


def prepare(source: Source, filter: Filter, split: Split, protocol: str = "clean") -> Dataset:
    """Read and split."""
    return split_dataset(source.read(), source, filter, split, protocol)


def from_matrix(cells: np.ndarray) -> Interactions:
    """One pair for every non-zero cell of ``cells`` [U, I]."""
    user, item = np.nonzero(cells)
    return Interactions(cells.shape[0], cells.shape[1], user, item, np.ones(len(user), dtype=np.int64))


def random_matrix(num_users: int, num_items: int, share: float, seed: int) -> np.ndarray:
    """Boolean [U, I]; a cell is true with probability ``share``."""
    return np.random.default_rng(seed).random((num_users, num_items)) < share


def small_dataset(
    parts: list[list[str]], item_text: pl.DataFrame | None = None, user_text: pl.DataFrame | None = None
) -> Dataset:
    """Users "u0", "u1", ... and items "i0", ...; a cell says t(rain), v(alid), e (test) or nothing."""
    cells = np.array(parts)
    users = Vocabulary("user", pl.Series("user", [f"u{n}" for n in range(cells.shape[0])]))
    items = Vocabulary("item", pl.Series("item", [f"i{n}" for n in range(cells.shape[1])]))
    train, valid, test = (from_matrix(cells == letter) for letter in "tve")
    return Dataset("small", users, items, train, valid, test, item_text, user_text)
