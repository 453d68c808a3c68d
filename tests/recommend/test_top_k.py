import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from graftrec.errors import InfeasibleError
from graftrec.recommend.top_k import top_k
from tests.recommend.vectors import full_sort

SCORES = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.0]),
)


@given(scores=SCORES, share=st.floats(0, 1))
def test_lists_are_those_of_a_full_sort(scores: np.ndarray, share: float) -> None:
    k = max(1, round(share * scores.shape[1]))
    assert top_k(torch.from_numpy(scores), k).tolist() == full_sort(scores, k)


@given(seed=st.integers(0, 10_000), num_items=st.integers(100, 2000), k=st.integers(1, 12), masked=st.floats(0, 1))
def test_tied_lists_of_a_large_catalogue_are_those_of_a_full_sort(
    seed: int, num_items: int, k: int, masked: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.poisson(1, size=(3, num_items)).astype(np.float32)
    scores[rng.random(scores.shape) < masked] = -np.inf
    assert top_k(torch.from_numpy(scores), k).tolist() == full_sort(scores, k)


@given(seed=st.integers(0, 10_000), num_items=st.integers(100, 2000), k=st.integers(1, 12))
def test_lists_of_a_large_catalogue_are_those_of_a_full_sort(seed: int, num_items: int, k: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(3, num_items)).astype(np.float32)
    assert top_k(torch.from_numpy(scores), k).tolist() == full_sort(scores, k)


def test_large_catalogue_of_equal_scores_is_listed_by_number() -> None:
    assert top_k(torch.zeros(2, 5_000), 5).tolist() == [[0, 1, 2, 3, 4]] * 2


def test_tie_at_the_last_place_goes_to_the_lowest_number() -> None:
    assert top_k(torch.tensor([[1.0, 3.0, 1.0, 2.0, 1.0]]), 3).tolist() == [[1, 3, 0]]


def test_short_list_ends_in_minus_one() -> None:
    scores = torch.full((1, 4), -torch.inf)
    scores[0, 2] = 0.5
    assert top_k(scores, 3).tolist() == [[2, -1, -1]]


def test_whole_catalogue_may_be_listed() -> None:
    assert top_k(torch.tensor([[0.1, 0.3, 0.2]]), 3).tolist() == [[1, 2, 0]]


def test_scores_are_left_as_they_were() -> None:
    scores = torch.tensor([[1.0, 1.0, 0.0]])
    top_k(scores, 1)
    assert scores.tolist() == [[1.0, 1.0, 0.0]]


@given(num_items=st.integers(2, 2000), k=st.integers(1, 12), place=st.floats(0, 1, exclude_max=True))
def test_a_score_that_is_not_a_number_is_refused_wherever_it_stands(num_items: int, k: int, place: float) -> None:
    scores = torch.arange(3.0 * num_items).view(3, num_items)
    scores[1, int(place * num_items)] = torch.nan
    with pytest.raises(InfeasibleError, match=r"1 of 3 users have scores that are not numbers \(NaN\)"):
        top_k(scores, min(k, num_items))
