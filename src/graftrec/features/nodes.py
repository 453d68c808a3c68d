"""Feature blocks of users and items, aligned with the data set's numbering."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
import scipy.sparse as sp

from graftrec.data.dataset import Dataset
from graftrec.data.interactions import Interactions
from graftrec.errors import InputError, check_choice
from graftrec.features.encoders.base import TextEncoder
from graftrec.features.store import FeatureStore
from graftrec.features.text import render

USERS = ("items", "text", "none")
MISSING = ("error", "zero")


@dataclass(frozen=True, eq=False)
class NodeFeatures:
    """float32 blocks, None where a node type has no features."""

    user: np.ndarray | None = None  # [U, F]
    item: np.ndarray | None = None  # [I, F]


class FeatureSource(Protocol):
    """What ``features=`` chooses."""

    def __call__(self, dataset: Dataset, store: FeatureStore) -> NodeFeatures: ...


@dataclass(frozen=True)
class NoFeatures:
    """No features: ids only."""

    def __call__(self, dataset: Dataset, store: FeatureStore) -> NodeFeatures:
        return NodeFeatures()


@dataclass(frozen=True)
class TextFeatures:
    """Items by their text; users by the mean of their training items, by their own text, or not at all.

    ``template`` and ``user_template`` turn a table row into a sentence (see ``features.text.render``).
    ``missing`` says what a node without text gets: an error, or a zero vector.
    """

    encoder: TextEncoder
    users: str = "items"
    template: str | None = None
    user_template: str | None = None
    missing: str = "error"

    def __post_init__(self) -> None:
        check_choice("features.users", self.users, USERS)
        check_choice("features.missing", self.missing, MISSING)

    def __call__(self, dataset: Dataset, store: FeatureStore) -> NodeFeatures:
        items = self._encode(dataset.item_text, dataset.items.ids, self.template, store)
        if self.users == "text":
            return NodeFeatures(self._encode(dataset.user_text, dataset.users.ids, self.user_template, store), items)
        return NodeFeatures(mean_of_items(dataset.train, items) if self.users == "items" else None, items)

    def _encode(
        self, table: pl.DataFrame | None, ids: pl.Series, template: str | None, store: FeatureStore
    ) -> np.ndarray:
        if table is None:
            raise InputError(
                f"The data has no {ids.name} text; set data.{ids.name}s and data.{ids.name}_text, or features=none"
                f"{' or features.users=items' if ids.name == 'user' else ''}."
            )
        texts = render(table, template)
        empty = np.array([text is None for text in texts])
        if empty.all() or (empty.any() and self.missing == "error"):
            raise InputError(
                f"No text for {empty.sum():,} of {len(texts):,} {ids.name}s (first: {ids[int(empty.argmax())]!r}); "
                f"{'' if empty.all() else 'set features.missing=zero or '}mend the table."
            )
        vectors = store.get(self.encoder, [text for text in texts if text is not None])
        block = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
        block[~empty] = vectors
        return block


def mean_of_items(train: Interactions, items: np.ndarray) -> np.ndarray:
    """Mean vector [U, F] of each user's *training* items [I, F]; zero for a user without any."""
    degree = np.maximum(train.user_degree, 1).astype(np.float32)
    means: np.ndarray = sp.diags_array(1 / degree) @ (train.matrix @ items)
    return means.astype(np.float32)
