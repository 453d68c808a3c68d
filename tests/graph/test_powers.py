"""Powers of a matrix at some rows, against products of the whole."""

import pytest
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.graph import powers
from graftrec.graph.powers import powers_at
from graftrec.graph.propagate import SparseMatrix, propagate
from tests.graph.test_propagate import both_symmetries, on_devices, random_rows, random_square

ROWS = [7, 0, 5, 2]  # 0 and 5 have no entry
some_rows = pytest.mark.parametrize("rows", [ROWS, [3], [], list(range(12))], ids=["some", "one", "none", "all"])
every_depth = pytest.mark.parametrize("num_layers", [0, 1, 3])


def one_by_one(matrix: SparseMatrix, x: Tensor, num_layers: int, rows: Tensor) -> list[Tensor]:
    """Whole products, of which the rows are taken."""
    layers = [x]
    for _ in range(num_layers):
        layers.append(propagate(matrix, layers[-1]))
    return [layer[rows] for layer in layers]


def matrix_of(symmetric: bool, device: str = "cpu") -> SparseMatrix:
    return SparseMatrix.of(sp.csr_matrix(random_square(symmetric)), symmetric, device)


@on_devices
@both_symmetries
@every_depth
@some_rows
def test_equal_the_rows_of_whole_products_and_so_do_the_gradients(
    symmetric: bool, num_layers: int, rows: list[int], device: str
) -> None:
    matrix, x = matrix_of(symmetric, device), random_rows(torch.float64, device).requires_grad_()
    at = torch.tensor(rows, dtype=torch.long, device=device)
    results = powers_at(matrix, x, num_layers, at), one_by_one(matrix, x, num_layers, at)
    outer = [torch.randn(len(rows), 4, dtype=torch.float64).to(device) for _ in range(num_layers + 1)]
    gradients = [torch.autograd.grad(result, x, outer) for result in results]
    torch.testing.assert_close(*results, rtol=0, atol=1e-12)
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)


@both_symmetries
@every_depth
def test_gradient_agrees_with_finite_differences(symmetric: bool, num_layers: int) -> None:
    matrix, x = matrix_of(symmetric), random_rows(torch.float64, "cpu").requires_grad_()
    assert torch.autograd.gradcheck(lambda x: powers_at(matrix, x, num_layers, torch.tensor(ROWS)), (x,))


@pytest.mark.parametrize("few", [0.0, 1.0], ids=["of the whole", "alone"])
def test_both_ways_to_the_last_product_are_one(few: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(powers, "FEW", few)
    matrix, x, rows = matrix_of(symmetric=False), random_rows(torch.float64, "cpu"), torch.tensor(ROWS)
    results = powers_at(matrix, x, 2, rows), one_by_one(matrix, x, 2, rows)
    torch.testing.assert_close(*results, rtol=0, atol=1e-12)


def test_bfloat16_products_are_near_and_the_input_stays_exact() -> None:
    matrix, x = matrix_of(symmetric=True), random_rows(torch.float32, "cpu").requires_grad_()
    rows, outer = torch.tensor(ROWS), [torch.ones(len(ROWS), 4)] * 4
    exact, rough = (powers_at(matrix, x, 3, rows, dtype) for dtype in (None, torch.bfloat16))
    assert [part.dtype for part in rough] == [torch.float32, *[torch.bfloat16] * 3]
    assert torch.equal(rough[0], exact[0])
    gradients = [
        torch.autograd.grad(parts, x, [g.to(part.dtype) for g, part in zip(outer, parts, strict=True)])[0]
        for parts in (exact, rough)
    ]
    for one, other in [*zip(exact, rough, strict=True), tuple(gradients)]:
        assert (one - other.float()).norm() < 0.02 * one.norm()  # three roundings of 2^-8
