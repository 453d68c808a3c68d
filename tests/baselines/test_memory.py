"""Estimates of memory before a fit."""

import numpy as np
import pytest

from graftrec.baselines.base import TrainingData, co_occurring
from graftrec.data.dataset import Dataset


def test_pairs_of_a_full_column_by_hand() -> None:
    assert co_occurring(np.array([3, 3]), 3) == pytest.approx(9 * (1 - np.exp(-2)))
    assert co_occurring(np.array([1]), 1_000) == pytest.approx(1, rel=1e-3)


def test_the_estimate_is_near_the_pairs_of_items_that_share_a_user(synthetic: Dataset) -> None:
    train = synthetic.train
    known = TrainingData(train).co_occurrence.nnz + int((train.item_degree > 0).sum())
    assert known < co_occurring(train.user_degree, train.num_items) < 1.5 * known
