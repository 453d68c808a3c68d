"""Logistic loss on two rows and against scikit-learn."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from graftrec.errors import InputError
from graftrec.objectives.bce import BCE
from tests.objectives.steps import random_step, step_of

# Positives score 0 and ln 3: probabilities 1/2 and 3/4. Negatives score ln 3 and 0.
USERS, ITEMS = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[math.log(3), 0.0], [0.0, math.log(3)]])


def test_two_rows_by_hand() -> None:
    step = step_of(USERS, ITEMS, batch=[(0, 0), (1, 0)], negatives=[[1], [1]])
    expected = (math.log(2) + math.log(4 / 3) + math.log(4) + math.log(2)) / 4
    assert BCE()(step).item() == pytest.approx(expected, rel=1e-6)


@given(seed=st.integers(0, 10_000), per_positive=st.integers(1, 3))
def test_equals_the_log_loss_of_all_pairs(seed: int, per_positive: int) -> None:
    step = random_step(seed, per_positive)
    rows = step.rows
    scores = torch.cat([(rows.users * rows.items).sum(-1), (rows.users[:, None] * rows.negatives).sum(-1).flatten()])
    labels = [1] * len(rows.users) + [0] * rows.negatives.shape[:2].numel()
    assert BCE()(step).item() == pytest.approx(log_loss(labels, scores.sigmoid().numpy()), rel=1e-9)


def test_no_negatives_are_refused() -> None:
    with pytest.raises(InputError, match=r"bce has no negatives: set negatives.per_positive >= 1"):
        BCE()(step_of(USERS, ITEMS, batch=[(0, 0)]))
