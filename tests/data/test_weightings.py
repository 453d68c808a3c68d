from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfTransformer

from graftrec.data.interactions import Interactions
from graftrec.data.weightings import (
    BM25,
    Behaviour,
    Binary,
    LogCount,
    TfIdf,
    TimeDecay,
    Weight,
    Weighting,
    interaction_matrix,
)
from graftrec.errors import InputError
from tests.data.build import PAIRS, interactions

DAY = 86_400.0
SMALL = interactions(
    [(0, 0), (0, 2), (1, 0)],
    num_users=3,
    num_items=3,
    count=[1, 3, 7],
    weight=[0.5, 4.0, 2.5],
    time=[0.0, 10 * DAY, 20 * DAY],
    behaviour=[[1, 0], [2, 1], [0, 7]],
    behaviours=("buy", "view"),
)


@st.composite
def counted(draw: st.DrawFn) -> Interactions:
    pairs = draw(PAIRS)
    return interactions(pairs, count=draw(st.lists(st.integers(1, 9), min_size=len(pairs), max_size=len(pairs))))


def naive_bm25(data: Interactions, row: int, k1: float, b: float) -> float:
    """The formula for one pair, with Python's numbers."""
    user, item, count = int(data.user[row]), int(data.item[row]), int(data.count[row])
    lengths = [sum(int(c) for u, c in zip(data.user, data.count, strict=True) if u == one) for one in set(data.user)]
    length = sum(int(c) for u, c in zip(data.user, data.count, strict=True) if u == user)
    degree = sum(1 for i in data.item if i == item)
    idf = log(1 + (data.num_users - degree + 0.5) / (degree + 0.5))
    return idf * count * (k1 + 1) / (count + k1 * (1 - b + b * length / (sum(lengths) / len(lengths))))


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        (Binary(), [1, 1, 1]),
        (Weight(), [0.5, 4.0, 2.5]),
        (LogCount(), [log(2), log(4), log(8)]),
        (TimeDecay(half_life_days=10), [0.25, 0.5, 1]),
        (TfIdf(), [log(4 / 3) + 1, 3 * (log(4 / 2) + 1), 7 * (log(4 / 3) + 1)]),
        (Behaviour({"buy": 4, "view": 1}), [4, 9, 7]),
        (Behaviour({"view": 0.5, "buy": 0}), [0, 0.5, 3.5]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_by_hand(weighting: Weighting, expected: list[float]) -> None:
    np.testing.assert_allclose(weighting(SMALL), expected, rtol=1e-12)


def test_bm25_by_hand() -> None:
    idf_of_both, idf_of_one = log(1 + 1.5 / 2.5), log(1 + 2.5 / 1.5)
    short, long = 0.25 + 0.75 * 4 / 5.5, 0.25 + 0.75 * 7 / 5.5
    expected = [
        idf_of_both * 2.2 / (1 + 1.2 * short),
        idf_of_one * 3 * 2.2 / (3 + 1.2 * short),
        idf_of_both * 7 * 2.2 / (7 + 1.2 * long),
    ]
    np.testing.assert_allclose(BM25()(SMALL), expected, rtol=1e-12)


@given(data=counted(), k1=st.floats(0.1, 3), b=st.floats(0, 1))
def test_bm25_is_that_of_a_naive_loop(data: Interactions, k1: float, b: float) -> None:
    expected = [naive_bm25(data, row, k1, b) for row in range(len(data))]
    np.testing.assert_allclose(BM25(k1, b)(data), expected, rtol=1e-9)


@given(data=counted())
def test_tf_idf_is_that_of_scikit_learn(data: Interactions) -> None:
    counts = data.to_matrix(data.count).astype(np.float64)
    expected = TfidfTransformer(norm=None, smooth_idf=True).fit_transform(counts)
    np.testing.assert_allclose(data.to_matrix(TfIdf()(data)).toarray(), expected.toarray(), rtol=1e-6)


def test_matrix_places_each_value_at_its_pair() -> None:
    assert interaction_matrix(SMALL, Weight()).toarray().tolist() == [[0.5, 0, 4.0], [2.5, 0, 0], [0, 0, 0]]


def test_matrix_is_float32() -> None:
    assert interaction_matrix(SMALL, LogCount()).dtype == np.float32


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_values_that_no_graph_can_carry_are_refused(value: float) -> None:
    data = interactions([(0, 0), (0, 1), (0, 2)], weight=[1.0, value, value])
    message = rf"2 of 3 edge weights are negative or not finite \(first: {value}\) under Weight\(\); choose weighting="
    with pytest.raises(InputError, match=message):
        interaction_matrix(data, Weight())


@pytest.mark.parametrize(
    ("weighting", "column"),
    [(Weight(), "weight"), (TimeDecay(10), "time"), (Behaviour({"buy": 1}), "behaviour")],
    ids=["weight", "time", "behaviour"],
)
def test_a_weighting_without_its_column_is_refused(weighting: Weighting, column: str) -> None:
    with pytest.raises(InputError, match=f"set data.columns.{column} or weighting=binary"):
        weighting(interactions([(0, 0)]))


@pytest.mark.parametrize("weights", [{"buy": 1}, {"buy": 1, "view": 1, "cart": 1}, {"buy": 1, "look": 1}])
def test_behaviour_weights_must_name_the_behaviours_of_the_data(weights: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"but the data has \['buy', 'view'\]; give each of these a weight"):
        Behaviour(weights)(SMALL)
