"""Nodes that a split holds out whole reach nothing that training sees: other interactions of theirs change nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.interactions import Interactions
from graftrec.data.sampling import NegativeSampler, Positives
from graftrec.data.sources.synthetic import SyntheticSource
from graftrec.data.splits.cold import ColdSplit
from graftrec.data.weightings import BM25, Binary, LogCount, TfIdf, Weighting
from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.nodes import TextFeatures
from graftrec.features.store import FeatureStore
from graftrec.graph.bipartite import Bipartite
from graftrec.training.datamodule import EpochBatches
from tests.small_data import prepare

SOURCE = SyntheticSource(
    name="synthetic",
    item_text=["title"],
    user_text=["profile"],
    num_users=60,
    num_items=40,
    num_interactions=1200,
    num_groups=4,
)
NODES = pytest.mark.parametrize("nodes", ["item", "user"])
WEIGHTINGS = pytest.mark.parametrize("weighting", [Binary(), LogCount(), TfIdf(), BM25()], ids=repr)


def dataset(nodes: str) -> Dataset:
    return prepare(SOURCE, Filter(min_user=5, min_item=3), ColdSplit(nodes))


def with_other_pairs(data: Dataset, nodes: str) -> Dataset:
    """The held-out nodes' interactions are given to other users (or items)."""

    def moved(part: Interactions) -> Interactions:
        user, item = part.user, part.item
        if nodes == "item":
            user = np.random.default_rng(0).permutation(data.num_users)[user]
        else:
            item = np.random.default_rng(0).permutation(data.num_items)[item]
        order = np.lexsort((item, user))
        return Interactions(part.num_users, part.num_items, user[order], item[order], 5 * part.count)

    return replace(data, valid=moved(data.valid), test=moved(data.test))


@NODES
@WEIGHTINGS
def test_the_graph_has_no_edge_of_a_held_out_node_and_does_not_change(nodes: str, weighting: Weighting) -> None:
    data = dataset(nodes)
    own, other = (Bipartite(weighting)(each).adjacency for each in (data, with_other_pairs(data, nodes)))
    held_out = np.unique(np.concatenate([getattr(part, nodes) for part in (data.valid, data.test)]))
    rows = held_out + (data.num_users if nodes == "item" else 0)
    assert (own[rows].nnz, own[:, rows].nnz, (own != other).nnz) == (0, 0, 0)


@NODES
@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_batches_do_not_change(nodes: str, exponent: float) -> None:
    data, sampler = dataset(nodes), NegativeSampler(exponent, per_positive=2, shared=50)
    epochs = [
        list(EpochBatches(Positives(each.train, each.cold_items), sampler, 128, seed=0))
        for each in (data, with_other_pairs(data, nodes))
    ]
    for own, other in zip(*epochs, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(vars(own).values(), vars(other).values(), strict=True))


@NODES
def test_features_do_not_change(nodes: str, tmp_path: Path) -> None:
    data = dataset(nodes)
    made = TextFeatures(HashingEncoder(dim=32))
    own, other = (made(each, FeatureStore(tmp_path)) for each in (data, with_other_pairs(data, nodes)))
    np.testing.assert_array_equal(own.user, other.user)
    np.testing.assert_array_equal(own.item, other.item)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_held_out_items_are_never_drawn_as_negatives_and_all_others_are(exponent: float) -> None:
    data = dataset("item")
    positives = Positives(data.train, data.cold_items)
    sampler, generator = NegativeSampler(exponent, per_positive=20, shared=5000), torch.Generator().manual_seed(0)
    pairs = sampler.for_pairs(positives, positives.users, generator).flatten()
    drawn = set(sampler.draw(positives, (5000,), generator).tolist()) | set(pairs.tolist())
    assert drawn == set(np.unique(data.train.item).tolist())


def test_other_splits_draw_as_before(synthetic: Dataset) -> None:
    assert synthetic.cold_items is None
    drawn = NegativeSampler().draw(
        Positives(synthetic.train, synthetic.cold_items), (9,), torch.Generator().manual_seed(3)
    )
    expected = torch.randint(synthetic.num_items, (9,), generator=torch.Generator().manual_seed(3))
    assert torch.equal(drawn, expected)


def test_cold_items_are_those_held_out() -> None:
    data = dataset("item")
    assert data.cold_items is not None
    assert set(np.flatnonzero(data.cold_items)) == set(np.concatenate([data.valid.item, data.test.item]))
    assert data.counts["items held out"] == data.cold_items.sum() == 12  # 4 + 8 of 40
    assert dataset("user").cold_items is None
