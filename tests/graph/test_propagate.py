"""The sparse product and its gradient against dense ones."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.graph.propagate import Pattern, SparseMatrix, propagate

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


def listed_twice() -> SparseMatrix:
    """Nine entries of a [4, 4], among them two at (0, 1) and three at (3, 3); node 2 has none."""
    columns = torch.tensor([0, 1, 1, 3, 0, 0, 3, 3, 3])
    weights = torch.arange(1.0, 10.0)
    return SparseMatrix(Pattern(torch.tensor([0, 4, 5, 5, 9]), columns), weights)


def one_node() -> SparseMatrix:
    return SparseMatrix.of(sp.csr_matrix(np.array([[2.0]], dtype=np.float32)), True)


def isolated_nodes(symmetric: bool) -> SparseMatrix:
    return SparseMatrix.of(sp.csr_matrix(random_square(symmetric)), symmetric)


MATRICES = {
    "symmetric": isolated_nodes(True),
    "asymmetric": isolated_nodes(False),
    "listed twice": listed_twice(),
    "one node": one_node(),
    "no edge": SparseMatrix.of(sp.csr_matrix((3, 3), dtype=np.float32), True),
}
every_matrix = pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)


def naive_product(matrix: SparseMatrix, x: Tensor, weights: Tensor) -> Tensor:
    """Entry by entry, differentiated by autograd."""
    out = [0 * row + 0 * weights.sum() for row in x]
    for row in range(len(x)):
        for entry in range(int(matrix.row_offsets[row]), int(matrix.row_offsets[row + 1])):
            out[row] = out[row] + weights[entry] * x[matrix.columns[entry]]
    return torch.stack(out)


def variables(matrix: SparseMatrix, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Node vectors [N, 3] and a weight for every entry, with gradients."""
    generator = torch.Generator().manual_seed(2)
    shapes = (len(matrix.row_offsets) - 1, 3), (len(matrix.columns),)
    x, weights = (torch.randn(shape, dtype=dtype, generator=generator).requires_grad_() for shape in shapes)
    return x, weights


@every_matrix
def test_own_weights_equal_the_product_entry_by_entry(matrix: SparseMatrix) -> None:
    x, weights = variables(matrix)
    expected = naive_product(matrix, x, weights)
    result = propagate(matrix, x, weights)
    outer = torch.randn(result.shape, dtype=torch.float64)
    torch.testing.assert_close(result, expected)
    gradients = [torch.autograd.grad(out, (x, weights), outer) for out in (result, expected)]
    torch.testing.assert_close(*gradients)


@every_matrix
def test_gradient_of_own_weights_agrees_with_finite_differences(matrix: SparseMatrix) -> None:
    assert torch.autograd.gradcheck(lambda x, weights: propagate(matrix, x, weights), variables(matrix))


@on_devices
@both_symmetries
@pytest.mark.parametrize("own", [False, True])
def test_bfloat16_product_of_float32_is_near(symmetric: bool, own: bool, device: str) -> None:
    matrix = SparseMatrix.of(sp.csr_matrix(random_square(symmetric)), symmetric, device)
    x, outer = random_rows(torch.float32, device).requires_grad_(), random_rows(torch.float32, device).flip(0)
    weights = matrix.weights.clone().requires_grad_() if own else None
    inputs = [x] if weights is None else [x, weights]
    results = [propagate(matrix, x, weights, dtype=dtype) for dtype in (None, torch.bfloat16)]
    assert results[1].dtype is torch.bfloat16
    gradients = [torch.autograd.grad(result, inputs, outer.to(result.dtype)) for result in results]
    for exact, rough in zip((results[0], *gradients[0]), (results[1].float(), *gradients[1]), strict=True):
        assert rough.dtype is torch.float32
        assert (rough - exact).norm() < 0.01 * exact.norm()  # bfloat16 has 8 bits: 2^-8 = 0.004 a rounding


def test_there_is_no_second_derivative() -> None:
    x, weights = variables(MATRICES["symmetric"])
    (gradient,) = torch.autograd.grad(propagate(MATRICES["symmetric"], x, weights).pow(2).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@every_matrix
def test_transposed_order_is_that_of_the_transpose(matrix: SparseMatrix) -> None:
    transposed, order = matrix.transposed_pattern, matrix.transposed_order
    assert torch.equal(transposed.rows, matrix.columns[order])
    assert torch.equal(transposed.columns, matrix.pattern.rows[order])


def test_symmetric_matrix_keeps_one_pattern_and_one_copy_of_a_precision() -> None:
    matrix = isolated_nodes(True)
    assert matrix.transposed_pattern is matrix.pattern
    assert matrix.transpose is matrix
    assert matrix.weights_as(torch.bfloat16) is matrix.weights_as(torch.bfloat16)
