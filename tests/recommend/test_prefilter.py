"""Proven lists are the exact ones, and most lists are proven."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftrec.recommend.prefilter import Prefilter
from tests.recommend.vectors import KINDS, full_sort, normal


def prefiltered(users: torch.Tensor, items: torch.Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Lists and whether they are proven, nothing being masked."""
    prefilter = Prefilter(items, k)
    bounds = prefilter.bounds(users, torch.empty(len(users), len(items), dtype=torch.bfloat16))
    lists, proven = prefilter.lists(users, bounds)
    return lists.numpy(), proven.numpy()


@pytest.mark.parametrize("num_items", [3, 100, 3000])
@pytest.mark.parametrize("kind", KINDS)
def test_proven_lists_are_those_of_a_full_sort(kind: str, num_items: int) -> None:
    rng = np.random.default_rng(0)
    users, items = normal(rng, 60), KINDS[kind](rng, num_items)
    lists, proven = prefiltered(users, items, 3)
    assert lists[proven].tolist() == full_sort((users @ items.T).numpy()[proven], 3)


@pytest.mark.parametrize("kind", ["normal", "heavy_tailed"])
def test_lists_of_separated_items_are_proven(kind: str) -> None:
    rng = np.random.default_rng(0)
    assert prefiltered(normal(rng, 200), KINDS[kind](rng, 5000), 10)[1].mean() > 0.95


@pytest.mark.parametrize("kind", ["constant", "near_tied"])
def test_lists_that_bfloat16_cannot_tell_apart_are_not_proven(kind: str) -> None:
    rng = np.random.default_rng(0)
    assert not prefiltered(normal(rng, 60), KINDS[kind](rng, 3000), 10)[1].any()


def test_ties_among_candidates_go_to_the_lowest_number() -> None:
    items = torch.zeros(1000, 2)
    items[[700, 30, 500]] = torch.tensor([9.0, 0.0])
    lists, proven = prefiltered(torch.ones(1, 2), items, 3)
    assert (lists.tolist(), proven.tolist()) == ([[30, 500, 700]], [True])


def test_vectors_too_large_for_float32_scores_are_not_proven() -> None:
    assert not prefiltered(torch.full((1, 2), 1e30), torch.rand(1000, 2) * 1e30, 3)[1].any()


def beyond_bound(users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """By how much scores exceed what is proven of them, [B, I]: never above zero."""
    prefilter = Prefilter(items, 1)
    bounds = prefilter.bounds(users, torch.empty(len(users), len(items), dtype=torch.bfloat16)).double()
    slack = 0.004 * bounds.abs() + prefilter.rounding(users).double()[:, None]
    return users.double() @ items.double().T - bounds - slack


def test_bounds_hold_where_the_users_rounding_points_at_the_item() -> None:
    lost = torch.linspace(2**-11, 2**-9, 500)  # by rounding to (1, 1)
    assert beyond_bound(torch.stack([1 + lost, 1 - lost], dim=1), torch.tensor([[1.0, -1.0]])).max() <= 0


def test_bounds_hold_where_large_terms_cancel() -> None:
    items = torch.tensor(list(permutations([2.0**20, -(2.0**20), 2.0**-5])))  # float32 sums give 0 for some
    assert beyond_bound(torch.ones(1, 3), items).max() <= 0


def test_lists_are_not_proven_where_large_terms_cancel() -> None:
    lost, rest = torch.tensor([[2.0**20, 2.0**-5, -(2.0**20)]]), torch.zeros(40, 3)
    rest[:, 1] = 2.0**-6 * torch.linspace(0.5, 1, 40)
    assert not prefiltered(torch.ones(1, 3), torch.cat([rest, lost]), 1)[1].any()


@given(
    seed=st.integers(0, 10_000),
    dimensions=st.integers(1, 200),
    user_scale=st.integers(-35, 15),
    item_scale=st.integers(-35, 15),
)
def test_no_score_exceeds_its_bound(seed: int, dimensions: int, user_scale: int, item_scale: int) -> None:
    rng = np.random.default_rng(seed)
    users, items = (
        torch.from_numpy(rng.normal(size=(count, dimensions)) * 10.0**scale * rng.pareto(1, size=(count, 1))).float()
        for count, scale in ((4, user_scale), (50, item_scale))
    )
    assert beyond_bound(users, items).max() <= 0
