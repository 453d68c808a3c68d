"""Metrics from cold to warm users and items."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.metrics.strata import by_item_degree, by_user_degree, degree_edges


def test_edges_are_quartiles_and_never_split_equal_degrees() -> None:
    assert degree_edges(np.array([1, 1, 2, 3, 4, 5, 6, 100])).tolist() == [1, 3, 5, 100]
    assert degree_edges(np.array([7, 7, 7])).tolist() == [7]


def test_users_by_hand() -> None:
    per_user = pl.DataFrame({"user": [0, 1, 2, 3], "num_relevant": [1, 1, 1, 1], "recall@5": [0.0, 0.5, 1.0, 0.5]})
    table = by_user_degree(per_user, np.array([9, 2, 2, 5]))
    assert table["kind"].unique().to_list() == ["user degree"]
    assert table.select("stratum", "size", "recall@5").rows() == [("2", 2, 0.75), ("3-5", 1, 0.5), ("6-9", 1, 0.0)]


def test_items_by_hand() -> None:
    degree = np.array([0, 3, 8, 8])
    relevant = np.array([2, 2, 1, 3])
    table = by_item_degree({5: np.array([0, 1, 1, 2])}, relevant, degree)
    assert table.select("stratum", "size", "recall@5").rows() == [("0", 2, 0.0), ("1-3", 2, 0.5), ("4-8", 4, 0.75)]


@given(st.integers(0, 10_000))
def test_items_equal_a_loop_over_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    degree, relevant = rng.integers(0, 20, 15), rng.integers(0, 4, 15)
    relevant[0] += 1
    hits = rng.binomial(relevant, 0.5)
    table = by_item_degree({3: hits}, relevant, degree)
    assert table["size"].sum() == relevant.sum()
    for stratum, size, recall in table.select("stratum", "size", "recall@3").iter_rows():
        low, *high = map(int, stratum.split("-"))
        inside = (degree >= low) & (degree <= (high[0] if high else low))
        assert size == relevant[inside].sum()
        assert recall == pytest.approx(hits[inside].sum() / size)
