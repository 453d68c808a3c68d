"""Exposure, novelty and diversity of lists."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.interactions import Interactions
from graftrec.metrics.beyond_accuracy import BeyondAccuracy, gini, pairwise_distance


def training(degrees: list[int]) -> Interactions:
    """Four users; item i was met by the first ``degrees[i]`` of them."""
    pairs = sorted((user, item) for item, degree in enumerate(degrees) for user in range(degree))
    users, items = (np.array(column) for column in zip(*pairs, strict=True))
    return Interactions(4, len(degrees), users, items, np.ones_like(users))


def test_values_by_hand() -> None:
    collector = BeyondAccuracy(training([4, 2, 1, 0]), k=[2])
    collector.update(torch.tensor([[0, 1], [0, 2]]))
    values = collector.compute()
    # exposure 2, 1, 1, 0; log2 of 4/4, 2/4, 1/4 is 0, -1, -2
    assert values["novelty@2"] == pytest.approx((2 * 0 + 1 * 1 + 1 * 2) / 4)
    assert values["popularity@2"] == pytest.approx((2 * 4 + 2 + 1) / 4)
    assert values["gini@2"] == pytest.approx((-3 * 0 - 1 * 1 + 1 * 1 + 3 * 2) / (4 * 4))
    assert "diversity@2" not in values


def test_an_item_without_training_users_counts_as_one() -> None:
    collector = BeyondAccuracy(training([4, 2, 1, 0]), k=[1])
    collector.update(torch.tensor([[3]]))
    assert collector.compute()["novelty@1"] == pytest.approx(2.0)


def test_short_lists_count_only_their_items() -> None:
    collector = BeyondAccuracy(training([4, 2, 1, 0]), k=[3])
    collector.update(torch.tensor([[1, -1, -1]]))
    assert collector.compute()["popularity@3"] == pytest.approx(2.0)


def test_diversity_of_orthogonal_and_equal_features() -> None:
    features = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]], dtype=np.float32)
    collector = BeyondAccuracy(training([1, 1, 1]), k=[2], features=features)
    collector.update(torch.tensor([[0, 1], [0, 2]]))
    assert collector.compute()["diversity@2"] == pytest.approx((1.0 + 0.0) / 2)


def test_values_do_not_depend_on_blocks() -> None:
    generator = torch.Generator().manual_seed(0)
    lists = torch.rand(9, 6, generator=generator).argsort(1)[:, :4]
    features = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    whole, blocks = (BeyondAccuracy(training([4, 3, 2, 2, 1, 1]), k=[1, 4], features=features) for _ in range(2))
    whole.update(lists)
    for block in lists.split(2):
        blocks.update(block)
    assert blocks.compute() == pytest.approx(whole.compute())


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any))
def test_gini_is_the_mean_absolute_difference(exposure: list[int]) -> None:
    n, total = len(exposure), sum(exposure)
    differences = sum(abs(a - b) for a in exposure for b in exposure)
    assert gini(torch.tensor(exposure)) == pytest.approx(differences / (2 * n * total))


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_pairwise_distance_equals_a_loop(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(6, 3))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    items = rng.permutation(6)[:k]
    cosines = [unit[a] @ unit[b] for n, a in enumerate(items) for b in items[n + 1 :]]
    found = pairwise_distance(torch.from_numpy(unit), torch.from_numpy(items)[None])
    assert found.item() == pytest.approx(1 - np.mean(cosines))


def test_a_list_of_one_has_no_distance() -> None:
    assert torch.isnan(pairwise_distance(torch.eye(3), torch.tensor([[1, -1]]))).all()
