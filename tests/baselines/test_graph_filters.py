"""GF-CF and ChebyCF against dense eigen-decompositions."""

import numpy as np
import pytest
import torch

from graftrec.baselines.chebycf import ChebyCF, divided, interpolate, plateau
from graftrec.baselines.gfcf import GFCF
from graftrec.baselines.scorers import WIDTH
from tests.baselines.cells import CELLS, data_of, normalized, scores_of
from tests.small_data import random_matrix

ROOT = np.sqrt(CELLS.sum(0))
DOWN = 1 / np.maximum(ROOT, 1)


def spectrum() -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of N^T N, the largest first, and eigenvectors in columns."""
    values, vectors = np.linalg.eigh(normalized(CELLS).T @ normalized(CELLS))
    return values[::-1], vectors[:, ::-1]


@pytest.mark.parametrize("rank", [1, 4, 256])
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_gfcf_is_the_linear_filter_and_the_ideal_one(rank: int, weight: float) -> None:
    kept = spectrum()[1][:, :rank]
    gram, ideal = normalized(CELLS).T @ normalized(CELLS), kept @ kept.T
    expected = CELLS @ (gram + weight * DOWN[:, None] * ideal * ROOT)
    np.testing.assert_allclose(scores_of(GFCF(rank, weight), CELLS), expected, atol=1e-5)


@pytest.mark.parametrize("order", [1, 4, 8])
@pytest.mark.parametrize("alpha", [0.0, 0.2])
@pytest.mark.parametrize("beta", [0.0, 0.4])
def test_chebycf_multiplies_every_eigenvector_by_the_polynomial(order: int, alpha: float, beta: float) -> None:
    values, vectors = spectrum()
    coefficients = interpolate(order, plateau(order, 1.5))
    response = np.polynomial.chebyshev.chebval(1 - 2 * values, coefficients)
    ideal = vectors[:, :4] @ vectors[:, :4].T
    degree = np.maximum(CELLS.sum(0), 1.0)
    expected = (CELLS * degree**-beta) @ (vectors * response @ vectors.T + alpha * ideal) * degree**beta
    method = ChebyCF(order, 1.5, rank=4, alpha=alpha, beta=beta)
    np.testing.assert_allclose(scores_of(method, CELLS), expected, atol=1e-4)


def test_chebycf_scores_of_many_users_are_those_of_each_alone() -> None:
    cells = random_matrix(2 * WIDTH + 5, 20, 0.2, seed=1)
    fitted = ChebyCF(8, 1.5, rank=4, alpha=0.2, beta=0.4).fit(data_of(cells))
    alone = torch.cat([fitted.scores(torch.tensor([user])) for user in range(len(cells))])
    torch.testing.assert_close(fitted.scores(torch.arange(len(cells))), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("order", [1, 8])
def test_a_polynomial_without_its_constant_is_divided_by_its_argument(order: int) -> None:
    coefficients, points = np.random.default_rng(0).normal(size=order + 1), np.linspace(0, 1, 20)
    at_zero, quotient = divided(coefficients)
    again = at_zero + points * np.polynomial.chebyshev.chebval(1 - 2 * points, quotient)
    np.testing.assert_allclose(again, np.polynomial.chebyshev.chebval(1 - 2 * points, coefficients), atol=1e-12)


def test_polynomial_takes_the_wanted_values_at_the_chebyshev_nodes() -> None:
    response = np.array([1.0, 0.9, 0.5, 0.4, 0.0])
    nodes = np.sort(np.polynomial.chebyshev.chebpts1(5))
    np.testing.assert_allclose(np.polynomial.chebyshev.chebval(nodes, interpolate(4, response)), response, atol=1e-12)


def test_plateau_by_hand() -> None:
    # Points cos(pi), cos(pi / 2), cos(0), and between them -.707 and .707 to the power 2: 1/2 -+ 1/2 * .5
    assert plateau(4, 2.0).tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]
