"""Feature blocks of users and items, aligned with the data set's numbering."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

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
MISSING = ("error", "zero", "id")


@dataclass(frozen=True, eq=False)
class NodeFeatures:
    """float32 blocks, None where a node type has no features.

    A node whose ``*_present`` is false has none of its own: its row is zero and no input may read it.
    """

    user: np.ndarray | None = None  # [U, F]
    item: np.ndarray | None = None  # [I, F]
    user_present: np.ndarray | None = None  # boolean [U]; None: every user has features
    item_present: np.ndarray | None = None  # boolean [I]; None: every item has features
    users_from_items: bool = False  # user rows are means of training items
    store_key: str | None = None  # the feature store's folder that has the vectors of the texts
    adaptation: Mapping[str, Any] | None = None  # what adapting the language model did; None: it was not


class FeatureSource(Protocol):
    """What ``features=`` chooses."""

    def __call__(self, dataset: Dataset, store: FeatureStore) -> NodeFeatures: ...

    def outline(self, dataset: Dataset) -> NodeFeatures:
        """Features of the same presence without the long work, for a rehearsal; refuses what the call would refuse."""
        ...


@dataclass(frozen=True)
class NoFeatures:
    """No features: ids only."""

    def __call__(self, dataset: Dataset, store: FeatureStore) -> NodeFeatures:
        return NodeFeatures()

    def outline(self, dataset: Dataset) -> NodeFeatures:
        return NodeFeatures()


@dataclass(frozen=True)
class TextFeatures:
    """Items by their text; users by the mean of their training items, by their own text, or not at all.

    ``template`` and ``user_template`` turn a table row into a sentence (see ``features.text.render``).
    ``missing`` says what a node without text gets: an ``error``, a ``zero`` vector that is read like any
    other, or no text at all, so that it lives on its ``id`` vector alone.
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
        features = self._features(dataset, lambda texts: store.get(self.encoder, texts))
        return replace(features, store_key=store.path(self.encoder).name)

    def outline(self, dataset: Dataset) -> NodeFeatures:
        narrow = self._features(dataset, lambda texts: np.zeros((len(texts), 1), dtype=np.float32))
        return stand_in(narrow, self.encoder.width)

    def item_texts(self, dataset: Dataset) -> list[str | None]:
        """The sentence that is read for each item; None where it has no text and ``missing`` allows that."""
        return self._texts(dataset.item_text, dataset.items.ids, self.template)

    def user_texts(self, dataset: Dataset) -> list[str | None]:
        """Likewise for each user."""
        return self._texts(dataset.user_text, dataset.users.ids, self.user_template)

    def _features(self, dataset: Dataset, encode: Callable[[list[str]], np.ndarray]) -> NodeFeatures:
        item_texts = self.item_texts(dataset)
        user_texts = self.user_texts(dataset) if self.users == "text" else None  # looked at before items are encoded
        items, item_present = self._block(item_texts, encode)
        if user_texts is not None:
            users, user_present = self._block(user_texts, encode)
            return NodeFeatures(users, items, user_present, item_present)
        if self.users == "none":
            return NodeFeatures(None, items, None, item_present)
        user_present = None if item_present is None else items_present(dataset.train, item_present) > 0
        users = mean_of_items(dataset.train, items, item_present)
        return NodeFeatures(users, items, user_present, item_present, users_from_items=True)

    def _texts(self, table: pl.DataFrame | None, ids: pl.Series, template: str | None) -> list[str | None]:
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
                f"{'' if empty.all() else 'set features.missing=zero or features.missing=id, or '}mend the table."
            )
        return texts

    def _block(
        self, texts: list[str | None], encode: Callable[[list[str]], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Vectors [n, F], zero without text; and who has text, None where that makes no difference."""
        present = np.array([text is not None for text in texts])
        vectors = encode([text for text in texts if text is not None])
        block = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
        block[present] = vectors
        return block, present if self.missing == "id" and not present.all() else None


def stand_in(features: NodeFeatures, width: int) -> NodeFeatures:
    """Zeros of that ``width`` which take no memory, in the place of ``features``."""

    def zeros(block: np.ndarray | None) -> np.ndarray | None:
        if block is None:
            return None
        return np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (len(block), width), (0, 0))

    return replace(features, user=zeros(features.user), item=zeros(features.item))


def mean_of_items(train: Interactions, items: np.ndarray, present: np.ndarray | None = None) -> np.ndarray:
    """Mean vector [U, F] of each user's *training* items [I, F]; zero for a user without any.

    Items that are not ``present`` (their rows are zero) are left out of the mean.
    """
    degree = train.user_degree if present is None else items_present(train, present)
    means: np.ndarray = sp.diags_array(1 / np.maximum(degree, 1).astype(np.float32)) @ (train.matrix @ items)
    return means.astype(np.float32)


def items_present(train: Interactions, present: np.ndarray) -> np.ndarray:
    """How many training items of each user are ``present`` [I]; int64 [U]."""
    return np.bincount(train.user[present[train.item]], minlength=train.num_users)
