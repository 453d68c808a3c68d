from dataclasses import replace

import numpy as np
import pytest
import torch

from graftrec.baselines.ials import IALS
from tests.baselines.cells import CELLS, data_of

METHOD = IALS(dim=3, unobserved=0.2, penalty=0.05, scaling=0.7, epochs=5)
SPARSE = data_of(CELLS).matrix


def loss(users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """Cell by cell."""
    scores, cells = users @ items.T, torch.from_numpy(CELLS)
    fit = ((1 - scores)[cells] ** 2).sum() + METHOD.unobserved * (scores**2).sum()
    for vectors, axis in ((users, 1), (items, 0)):
        weight = torch.from_numpy(CELLS.sum(axis) + METHOD.unobserved * CELLS.shape[axis]) ** METHOD.scaling
        fit = fit + METHOD.penalty * (weight * (vectors**2).sum(1)).sum()
    return fit


def test_a_step_finds_the_minimum_over_the_users() -> None:
    items = torch.randn(CELLS.shape[1], 3, generator=torch.Generator().manual_seed(1))
    users = METHOD.solve(SPARSE, items).double().requires_grad_()
    loss(users, items.double()).backward()
    assert users.grad is not None
    np.testing.assert_allclose(users.grad, 0, atol=1e-4)


def test_more_epochs_lower_the_loss() -> None:
    fits = [replace(METHOD, epochs=epochs).fit(data_of(CELLS)) for epochs in (1, 3, 10)]
    losses = [float(loss(*fit.factors())) for fit in fits]
    assert losses == sorted(losses, reverse=True)


def test_start_depends_on_the_seed() -> None:
    one, other = (replace(METHOD, seed=seed, epochs=1).fit(data_of(CELLS)).items for seed in (0, 1))
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("users", [[0], [3, 5]])
def test_scores_are_products_of_the_factors(users: list[int]) -> None:
    model = METHOD.fit(data_of(CELLS))
    vectors, items = model.factors()
    np.testing.assert_allclose(model.scores(torch.tensor(users)), vectors[users] @ items.T, atol=1e-6)
