import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from graftrec.recommend.top_k import top_k

SCORES = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.0]),
)


def naive_top_k(row: list[float], k: int) -> list[int]:
    """The first k of a full sort by (score, item number), -1 in place of masked items."""
    order = sorted(range(len(row)), key=lambda item: (-row[item], item))
    return [item if row[item] > -np.inf else -1 for item in order[:k]]


@given(scores=SCORES, share=st.floats(0, 1))
def test_lists_are_those_of_a_full_sort(scores: np.ndarray, share: float) -> None:
    k = max(1, round(share * scores.shape[1]))
    assert top_k(torch.from_numpy(scores), k).tolist() == [naive_top_k(row, k) for row in scores.tolist()]


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
