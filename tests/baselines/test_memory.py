"""Estimates of memory before a fit, and how little of a product is in memory at once."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from graftrec.baselines import base, neighbours
from graftrec.baselines.base import dense_gram
from graftrec.baselines.gfcf import co_occurring
from graftrec.baselines.neighbours import Nearest, nearest_by_cosine, nearest_gib
from graftrec.data.dataset import Dataset
from tests.small_data import random_matrix


def test_pairs_of_a_full_column_by_hand() -> None:
    assert co_occurring(np.array([3, 3]), 3) == pytest.approx(9 * (1 - np.exp(-2)))
    assert co_occurring(np.array([1]), 1_000) == pytest.approx(1, rel=1e-3)


def test_the_estimate_is_near_the_pairs_of_items_that_share_a_user(synthetic: Dataset) -> None:
    train = synthetic.train
    known = (train.matrix.T @ train.matrix).nnz
    assert known < co_occurring(train.user_degree, train.num_items) < 1.5 * known


@pytest.mark.parametrize("block", [1, 5, 30, 10_000])
def test_blocks_of_any_size_give_the_same_neighbours(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = sp.csr_matrix(random_matrix(23, 11, 0.3, 0).astype(np.float32))
    whole = nearest_by_cosine(matrix, 1.0, kept=4).cut(3).toarray()
    monkeypatch.setattr(neighbours, "BLOCK", block)
    np.testing.assert_array_equal(nearest_by_cosine(matrix, 1.0, kept=4).cut(3).toarray(), whole)


def test_a_block_has_no_more_entries_than_it_may_or_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, sizes = sp.csr_matrix(random_matrix(40, 15, 0.2, 1).astype(np.float32)), []
    monkeypatch.setattr(neighbours, "BLOCK", 60)

    def similarity(product: sp.csr_matrix, row: np.ndarray) -> np.ndarray:
        sizes.append((product.nnz, product.shape[0]))
        return product.data

    Nearest(matrix, matrix.T.tocsr(), similarity, kept=5)
    assert sum(rows for _, rows in sizes) == 40
    assert all(entries <= 60 or rows == 1 for entries, rows in sizes)
    assert len(sizes) < 40  # rows are taken together where they fit


def test_memory_of_neighbours_grows_with_what_is_kept_not_with_what_shares_a_column() -> None:
    popular, rows = np.full(1_000, 20_000), 50_000
    mebibyte = 2**20
    block = neighbours.BLOCK_BYTES * neighbours.BLOCK / mebibyte
    entries = neighbours.KEPT_BYTES * rows * 100 / mebibyte
    assert nearest_gib(popular, rows, 100) * 1024 == pytest.approx(block + entries)


@given(seed=st.integers(0, 10_000), block=st.sampled_from([1, 3, 100]))
def test_dense_gram_is_the_dense_product(seed: int, block: int) -> None:
    cells = random_matrix(8, 5, 0.4, seed).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "GRAM_BLOCK", block)
        np.testing.assert_array_equal(dense_gram(sp.csr_matrix(cells)), cells @ cells.T)
