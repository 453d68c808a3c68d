"""Conditioning of all nodes by what the training catalogue shows."""

from dataclasses import replace

import numpy as np

from graftrec.data.interactions import Interactions
from graftrec.errors import InputError
from graftrec.features.conditioning.base import Affine, Conditioning
from graftrec.features.nodes import NodeFeatures, mean_of_items, stand_in


def conditioned(features: NodeFeatures, train: Interactions, conditioning: Conditioning) -> NodeFeatures:
    """Users and items through one map, fitted on the items with training interactions and text.

    A row of zeros is a node without text and stays so. Users that are means of their items are means of the
    conditioned ones.
    """
    items = _items(features)
    catalogue = training_catalogue(features, train)
    conditioning.width(items.shape[1], len(catalogue))
    fitted = conditioning.fit(catalogue)
    item = _through(fitted, items)
    if features.users_from_items:
        user: np.ndarray | None = mean_of_items(train, item, features.item_present)
    else:
        user = None if features.user is None else _through(fitted, features.user)
    return replace(features, user=user, item=item)


def conditioned_outline(features: NodeFeatures, train: Interactions, conditioning: Conditioning) -> NodeFeatures:
    """Stand-ins of the width that ``conditioned`` will give; refuses what it would refuse."""
    present, warm = features.item_present, train.item_degree > 0
    num_items = int((warm if present is None else warm & present).sum())
    return stand_in(features, conditioning.width(_items(features).shape[1], num_items))


def training_catalogue(features: NodeFeatures, train: Interactions) -> np.ndarray:
    """Vectors [n, F] of the items with training interactions and text."""
    items = _items(features)
    rows = (train.item_degree > 0) & items.any(axis=1)
    return items if rows.all() else items[rows]


def _items(features: NodeFeatures) -> np.ndarray:
    if features.item is None:
        raise InputError(
            "conditioning changes the vectors of texts, and there are none; choose features=minilm, or "
            "conditioning=none (with input=id)."
        )
    if features.user is not None and features.user.shape[1] != features.item.shape[1]:
        raise InputError(
            f"conditioning is one map for users and items, but user features are {features.user.shape[1]} wide, "
            f"item features {features.item.shape[1]}: give both the same width."
        )
    return features.item


def _through(fitted: Affine, vectors: np.ndarray) -> np.ndarray:
    mapped = fitted(vectors)
    text = np.asarray(vectors.any(axis=1))
    return mapped if text.all() else np.where(text[:, None], mapped, np.float32(0))
