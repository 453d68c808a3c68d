"""Held-out pairs reach nothing that training sees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from graftrec.data.dataset import Dataset
from graftrec.data.interactions import Interactions
from graftrec.data.sampling import Positives
from graftrec.data.weightings import BM25, Binary, LogCount, TfIdf, Weighting
from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.nodes import NodeFeatures, TextFeatures
from graftrec.features.store import FeatureStore
from graftrec.graph.bipartite import Bipartite

HELD_OUT = pytest.mark.parametrize("part", ["valid", "test"])
WEIGHTINGS = pytest.mark.parametrize("weighting", [Binary(), LogCount(), TfIdf(), BM25()], ids=repr)


def shuffled(part: Interactions) -> Interactions:
    """As many other pairs: the items given to users in another order."""
    items = np.random.default_rng(0).permutation(part.num_items)[part.item]
    order = np.argsort(part.user * part.num_items + items)
    return Interactions(part.num_users, part.num_items, part.user[order], items[order], 7 * part.count[order])


@pytest.fixture
def with_other_held_out_pairs(synthetic: Dataset) -> Dataset:
    """The same training pairs with other validation and test pairs."""
    return replace(synthetic, valid=shuffled(synthetic.valid), test=shuffled(synthetic.test))


def features_of(dataset: Dataset, folder: Path) -> NodeFeatures:
    """Items by their titles, users by the mean of their items."""
    return TextFeatures(HashingEncoder(dim=32))(dataset, FeatureStore(folder))


@HELD_OUT
@WEIGHTINGS
def test_held_out_pairs_are_no_edges(synthetic: Dataset, part: str, weighting: Weighting) -> None:
    held_out: Interactions = getattr(synthetic, part)
    adjacency = Bipartite(weighting)(synthetic).adjacency
    items = held_out.item + synthetic.num_users
    assert np.abs(adjacency[held_out.user, items]).sum() + np.abs(adjacency[items, held_out.user]).sum() == 0


@WEIGHTINGS
def test_held_out_pairs_do_not_change_the_graph(
    synthetic: Dataset, with_other_held_out_pairs: Dataset, weighting: Weighting
) -> None:
    graphs = [Bipartite(weighting)(dataset).adjacency for dataset in (synthetic, with_other_held_out_pairs)]
    assert (graphs[0] != graphs[1]).nnz == 0


def test_held_out_pairs_do_not_change_user_features(
    synthetic: Dataset, with_other_held_out_pairs: Dataset, tmp_path: Path
) -> None:
    own, other = (features_of(dataset, tmp_path) for dataset in (synthetic, with_other_held_out_pairs))
    np.testing.assert_array_equal(own.user, other.user)


def test_user_features_are_means_of_training_items(synthetic: Dataset, tmp_path: Path) -> None:
    features, train = features_of(synthetic, tmp_path), synthetic.train
    assert features.user is not None
    assert features.item is not None
    means = [features.item[train.item[train.user == user]].mean(axis=0) for user in range(synthetic.num_users)]
    np.testing.assert_allclose(features.user, means, atol=1e-6)


@HELD_OUT
def test_held_out_pairs_are_no_positives(synthetic: Dataset, part: str) -> None:
    held_out = Positives(getattr(synthetic, part))
    assert not Positives(synthetic.train).contains(held_out.users, held_out.items).any()


def test_positives_are_the_training_pairs(synthetic: Dataset) -> None:
    users, items = torch.meshgrid(torch.arange(synthetic.num_users), torch.arange(synthetic.num_items), indexing="ij")
    member = Positives(synthetic.train).contains(users, items)
    np.testing.assert_array_equal(member.numpy(), synthetic.train.matrix.toarray() == 1)


def test_popularity_of_items_is_counted_in_training(synthetic: Dataset) -> None:
    counts = [int((synthetic.train.item == item).sum()) for item in range(synthetic.num_items)]
    assert Positives(synthetic.train).item_degree.tolist() == counts
