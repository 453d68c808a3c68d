"""The sparse product and its gradient against dense ones."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.graph.propagate import SparseMatrix, propagate

NUM_NODES = 12
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}  # of sums of at most 12 products of order 1
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")),
]
on_devices = pytest.mark.parametrize("device", DEVICES)
both_symmetries = pytest.mark.parametrize("symmetric", [True, False])
both_precisions = pytest.mark.parametrize("dtype", TOLERANCE)


def random_square(symmetric: bool) -> np.ndarray:
    """A float32 [12, 12] with an isolated first, inner and last node."""
    generator = np.random.default_rng(3)
    dense = generator.normal(size=(NUM_NODES, NUM_NODES)) * (generator.random((NUM_NODES, NUM_NODES)) < 0.3)
    dense = dense + dense.T if symmetric else dense
    dense[[0, 5, -1]] = dense[:, [0, 5, -1]] = 0
    return dense.astype(np.float32)


def random_rows(dtype: torch.dtype, device: str) -> Tensor:
    """Values [12, 4]."""
    return torch.randn(NUM_NODES, 4, dtype=dtype, generator=torch.Generator().manual_seed(5)).to(device)


@on_devices
@both_precisions
@both_symmetries
def test_equals_the_dense_product(symmetric: bool, dtype: torch.dtype, device: str) -> None:
    dense, x = random_square(symmetric), random_rows(dtype, device)
    matrix = SparseMatrix.of(sp.csr_matrix(dense), symmetric, device)
    expected = torch.from_numpy(dense).to(device, dtype) @ x
    torch.testing.assert_close(propagate(matrix, x), expected, rtol=0, atol=TOLERANCE[dtype])


@on_devices
@both_precisions
@both_symmetries
def test_gradient_is_the_transposed_product(symmetric: bool, dtype: torch.dtype, device: str) -> None:
    dense, x = random_square(symmetric), random_rows(dtype, device).requires_grad_()
    matrix = SparseMatrix.of(sp.csr_matrix(dense), symmetric, device)
    outer = random_rows(dtype, device).flip(0)
    (gradient,) = torch.autograd.grad(propagate(matrix, x), x, outer)
    expected = torch.from_numpy(dense).to(device, dtype).T @ outer
    torch.testing.assert_close(gradient, expected, rtol=0, atol=TOLERANCE[dtype])


@both_symmetries
def test_gradient_agrees_with_finite_differences(symmetric: bool) -> None:
    matrix = SparseMatrix.of(sp.csr_matrix(random_square(symmetric)), symmetric)
    x = random_rows(torch.float64, "cpu").requires_grad_()
    assert torch.autograd.gradcheck(lambda rows: propagate(matrix, rows), (x,))


def test_gradient_of_a_sum_is_spread_by_the_columns() -> None:
    matrix = SparseMatrix.of(sp.csr_matrix(np.array([[0, 2], [3, 4]], dtype=np.float32)), symmetric=False)
    x = torch.zeros(2, 1, requires_grad=True)
    propagate(matrix, x).sum().backward()  # an expanded gradient, not stored row by row
    assert x.grad is not None
    assert x.grad.tolist() == [[3.0], [6.0]]


@on_devices
def test_rows_need_not_be_contiguous(device: str) -> None:
    dense = random_square(symmetric=False)
    matrix = SparseMatrix.of(sp.csr_matrix(dense), False, device)
    x = torch.randn(4, NUM_NODES, generator=torch.Generator().manual_seed(1)).to(device).T
    torch.testing.assert_close(propagate(matrix, x), torch.from_numpy(dense).to(device) @ x, rtol=0, atol=1e-5)


@on_devices
def test_without_edges_gives_zeros(device: str) -> None:
    matrix = SparseMatrix.of(sp.csr_matrix((NUM_NODES, NUM_NODES), dtype=np.float32), True, device)
    assert torch.equal(propagate(matrix, torch.ones(NUM_NODES, 2, device=device)).cpu(), torch.zeros(NUM_NODES, 2))
