"""The penalty on three rows and against loops."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graftrec.errors import InputError
from graftrec.objectives.l2 import L2
from graftrec.objectives.step import Step
from tests.objectives.steps import random_step, step_of

USERS, ITEMS = torch.tensor([[3.0], [4.0]]), torch.tensor([[2.0], [1.0], [-2.0]])
# Users 3, 4, 3; positives 2, 1, -2; negatives 1, -2, 2. Squares: 34, 9, 9.
BATCH, NEGATIVES = [(0, 0), (1, 1), (0, 2)], [[1], [2], [0]]
EXPECTED = {True: (34 + 9 + 9) / 2 / 3, False: (34**0.5 + 3 + 3) / 3}
squared_or_not = pytest.mark.parametrize("squared", [True, False])


def rows_of(step: Step, of: str) -> list[list[Tensor]]:
    """The vectors of users, positives and negatives, one list each."""
    num_users = step.space.num_users
    table = step.start.x0 if of == "input" else step.embeddings.nodes
    users, items = table[:num_users], table[num_users:]
    batch = step.batch
    numbers = (users, batch.users), (items, batch.items), (items, batch.negatives.flatten())
    return [[table[number] for number in block.tolist()] for table, block in numbers]


@squared_or_not
@pytest.mark.parametrize("of", ["input", "propagated"])
def test_three_rows_by_hand(of: str, squared: bool) -> None:
    step = step_of(USERS, ITEMS, BATCH, NEGATIVES)
    assert L2(of, squared)(step).item() == pytest.approx(EXPECTED[squared], rel=1e-6)


@pytest.mark.parametrize(("squared", "expected"), [(True, 34 / 2), (False, 34**0.5)])
def test_all_nodes_count_once_whatever_the_batch(squared: bool, expected: float) -> None:
    step = step_of(USERS, ITEMS, BATCH[:1], NEGATIVES[:1])  # 9 + 16 and 4 + 1 + 4
    assert L2("all", squared)(step).item() == pytest.approx(expected, rel=1e-6)


@squared_or_not
@pytest.mark.parametrize(("of", "factor"), [("input", 10), ("propagated", 1)])
def test_input_and_propagated_vectors_are_told_apart(of: str, factor: float, squared: bool) -> None:
    step = step_of(USERS, ITEMS, BATCH, NEGATIVES, x0=10 * torch.cat([USERS, ITEMS]))
    assert L2(of, squared)(step).item() == pytest.approx(factor ** (2 if squared else 1) * EXPECTED[squared], rel=1e-6)


@given(seed=st.integers(0, 10_000), of=st.sampled_from(["input", "propagated"]), per_positive=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_squared_equals_a_loop(seed: int, of: str, per_positive: int) -> None:
    step = random_step(seed, per_positive)
    total = sum(float(row @ row) for block in rows_of(step, of) for row in block)
    assert L2(of)(step).item() == pytest.approx(total / 2 / len(step.batch.users), rel=1e-9)


@given(seed=st.integers(0, 10_000), of=st.sampled_from(["input", "propagated"]), per_positive=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_unsquared_equals_a_loop(seed: int, of: str, per_positive: int) -> None:
    step = random_step(seed, per_positive)
    total = sum(sum(float(row @ row) for row in block) ** 0.5 for block in rows_of(step, of))
    assert L2(of, squared=False)(step).item() == pytest.approx(total / len(step.batch.users), rel=1e-9)


def test_gradient_is_the_row_over_the_batch_size() -> None:
    users = USERS.clone().requires_grad_()
    L2("propagated")(step_of(users, ITEMS, BATCH, NEGATIVES)).backward()
    torch.testing.assert_close(users.grad, torch.tensor([[2 * 3 / 3], [4 / 3]]))  # user 0 stands in two rows


@pytest.mark.parametrize("of", ["input", "propagated"])
def test_rows_outside_the_batch_are_not_penalised(of: str) -> None:
    items = torch.cat([ITEMS, torch.tensor([[1e3]])])
    assert L2(of)(step_of(USERS, items, BATCH, NEGATIVES)).item() == pytest.approx(EXPECTED[True], rel=1e-6)


def test_unknown_rows_are_refused() -> None:
    with pytest.raises(InputError, match=r"l2.of='both' is unknown; choose one of input, propagated, all"):
        L2(of="both")


def test_hidden_nodes_are_penalised_by_their_own_input() -> None:
    step = step_of(USERS, ITEMS, BATCH, NEGATIVES)
    hidden = replace(step.start, x0=torch.zeros_like(step.start.x0), masked=torch.arange(5))
    assert L2()(replace(step, embeddings=step.encode(hidden))).item() == L2()(step).item() > 0
