"""Alignment and uniformity by hand, against pdist, and at any block size."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftrec.objectives import alignment
from graftrec.objectives.alignment import Alignment, Uniformity
from graftrec.objectives.step import Step
from tests.objectives.steps import random_step, step_of

# On the circle users stand at 0, 90 and 180 degrees, items at 90 and 180.
USERS = torch.tensor([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
ITEMS = torch.tensor([[0.0, 0.1], [-5.0, 0.0]])
STEP = step_of(USERS, ITEMS, batch=[(0, 0), (1, 0), (2, 0)])


def test_alignment_by_hand() -> None:
    assert Alignment()(STEP).item() == pytest.approx((2 + 0 + 2) / 3)


def test_uniformity_by_hand() -> None:
    """Squared distances of users: 2, 2, 4; of items, one that stands three times: 0."""
    users = math.log((2 * math.exp(-4) + math.exp(-8)) / 3)
    assert Uniformity()(STEP).item() == pytest.approx((users + 0) / 2, rel=1e-5)


def by_pdist(step: Step) -> torch.Tensor:
    """The authors' two lines."""
    parts = [torch.nn.functional.normalize(rows, dim=-1) for rows in step.rows[:2]]
    return sum(torch.pdist(x).pow(2).mul(-2).exp().mean().log() for x in parts) / 2


@pytest.mark.parametrize("buffer", [1, 7, 2**18])
@given(seed=st.integers(0, 10_000).filter(lambda seed: len(random_step(seed).batch.users) > 1))
def test_value_and_gradient_are_those_of_pdist(buffer: int, seed: int) -> None:
    results = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "BUFFER", buffer)
        for term in (Uniformity(), by_pdist):
            step = random_step(seed)
            nodes = step.embeddings.layers[-1].requires_grad_()
            loss = term(step)
            results.append((loss.detach(), *torch.autograd.grad(3 * loss, nodes)))
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-9)


def test_one_pair_has_nothing_to_be_uniform_with() -> None:
    users = USERS.clone().requires_grad_()
    loss = Uniformity()(step_of(users, ITEMS, batch=[(0, 0)]))
    assert loss.item() == 0
    loss.backward()
    assert (users.grad == 0).all()
