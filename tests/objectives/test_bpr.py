"""BPR on three rows and against loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graftrec.errors import InputError
from graftrec.objectives.bpr import BPR
from graftrec.objectives.step import Step
from tests.objectives.steps import random_step, step_of

# Scores 0, ln 3 and -ln 3 above those of the negatives: losses ln 2, ln 4/3 and ln 4.
USERS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
ITEMS = torch.tensor([[0.5, math.log(3)], [0.5, 0.0]])
THREE_ROWS = step_of(USERS, ITEMS, batch=[(0, 0), (1, 0), (2, 1)], negatives=[[1], [1], [0]])
REDUCTIONS = {"sum": math.log(2 * 4 / 3 * 4), "mean": math.log(2 * 4 / 3 * 4) / 3}


def naive_losses(step: Step) -> list[float]:
    """-ln sigmoid of each comparison, one at a time."""
    losses, batch, (users, items) = [], step.batch, step.space.split(step.embeddings.nodes)
    for user, item, row in zip(batch.users, batch.items, batch.negatives, strict=True):
        for negative in row:
            difference = float(users[user] @ items[item] - users[user] @ items[negative])
            losses.append(-math.log(1 / (1 + math.exp(-difference))))
    return losses


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_three_rows_by_hand(reduction: str) -> None:
    assert BPR(reduction)(THREE_ROWS).item() == pytest.approx(REDUCTIONS[reduction], rel=1e-6)


@given(seed=st.integers(0, 10_000), per_positive=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_equals_a_loop_over_all_comparisons(seed: int, per_positive: int) -> None:
    step = random_step(seed, per_positive)
    assert BPR("sum")(step).item() == pytest.approx(sum(naive_losses(step)), rel=1e-9)


def test_mean_is_over_pairs_and_negatives() -> None:
    step = random_step(seed=3, per_positive=4)
    losses = naive_losses(step)
    assert BPR("mean")(step).item() == pytest.approx(sum(losses) / len(losses), rel=1e-9)


@pytest.mark.parametrize(("scale", "expected"), [(1e4, 0.0), (-1e4, 1e4)])
def test_large_differences_do_not_overflow(scale: float, expected: float) -> None:
    step = step_of(torch.tensor([[scale]]), torch.tensor([[1.0], [0.0]]), batch=[(0, 0)], negatives=[[1]])
    assert BPR()(step).item() == pytest.approx(expected)


def test_unknown_reduction_is_refused() -> None:
    with pytest.raises(InputError, match=r"bpr.reduction='max' is unknown; choose one of mean, sum"):
        BPR("max")


def test_hardest_compares_with_the_best_scored_negative_alone() -> None:
    step = random_step(seed=3, per_positive=3)
    best = torch.tensor(naive_losses(step)).view(-1, 3).amax(1)
    assert BPR("sum", hardest=True)(step).item() == pytest.approx(best.sum().item(), rel=1e-6)
    assert BPR("mean", hardest=True)(step).item() == pytest.approx(best.mean().item(), rel=1e-6)


def test_hardest_of_one_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"bpr.hardest=true has nothing to choose from: set negatives.per_positive >= 2"
    ):
        BPR(hardest=True)(THREE_ROWS)


def test_no_negatives_are_refused() -> None:
    with pytest.raises(InputError, match=r"bpr has no negatives: set negatives.per_positive >= 1"):
        BPR()(step_of(USERS, ITEMS, batch=[(0, 0)]))
