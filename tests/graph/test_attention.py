"""Attention over rows against a softmax row by row."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.graph.attention import attention
from graftrec.graph.normalize import with_mean_loops
from graftrec.graph.propagate import SparseMatrix
from tests.graph.small_graphs import random_graph
from tests.graph.test_propagate import every_matrix

CPU = torch.device("cpu")


def variables(matrix: SparseMatrix) -> tuple[Tensor, Tensor, Tensor]:
    """Target and source [N] and offset [E], float64, with gradients."""
    generator, size = torch.Generator().manual_seed(4), len(matrix.row_offsets) - 1
    target, source, offset = (
        torch.randn(length, dtype=torch.float64, generator=generator).requires_grad_()
        for length in (size, size, len(matrix.columns))
    )
    return target, source, offset


def naive_attention(matrix: SparseMatrix, target: Tensor, source: Tensor, offset: Tensor) -> Tensor:
    """Row by row, differentiated by autograd."""
    alphas = [0 * (target.sum() + source.sum() + offset)[:0]]
    for row, value in enumerate(target):
        entries = slice(int(matrix.row_offsets[row]), int(matrix.row_offsets[row + 1]))
        alphas.append(F.leaky_relu(value + source[matrix.columns[entries]] + offset[entries], 0.2).softmax(0))
    return torch.cat(alphas)


@every_matrix
def test_equals_a_softmax_row_by_row(matrix: SparseMatrix) -> None:
    inputs = variables(matrix)
    results = [form(matrix, *inputs) for form in (attention, naive_attention)]
    torch.testing.assert_close(*results)
    outer = torch.randn(len(matrix.columns), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(*(torch.autograd.grad(result, inputs, outer) for result in results))


@every_matrix
def test_gradient_agrees_with_finite_differences(matrix: SparseMatrix) -> None:
    assert torch.autograd.gradcheck(lambda *inputs: attention(matrix, *inputs), variables(matrix))


@every_matrix
def test_offset_may_be_absent(matrix: SparseMatrix) -> None:
    target, source, offset = variables(matrix)
    expected = attention(matrix, target, source, torch.zeros_like(offset))
    assert torch.equal(attention(matrix, target, source), expected)


def test_large_logits_neither_overflow_nor_vanish() -> None:
    matrix = random_graph().attention_matrix(True, CPU)
    size = len(matrix.row_offsets) - 1
    for value in (1e4, -1e4):
        alpha = attention(matrix, torch.full((size,), value), torch.zeros(size))
        torch.testing.assert_close(matrix.pattern.reduce(alpha, "sum"), torch.ones(size))


def test_bfloat16_is_summed_in_float32() -> None:
    size = 600  # ones added up in bfloat16 stop at 256
    matrix = SparseMatrix.of(sp.csr_matrix(np.ones((size, size), dtype=np.float32)), True)
    zeros = torch.zeros(size, dtype=torch.bfloat16)
    torch.testing.assert_close(attention(matrix, zeros, zeros), torch.full((size * size,), 1 / size))


def test_there_is_no_second_derivative() -> None:
    matrix = random_graph().attention_matrix(True, CPU)
    target, source, _ = variables(matrix)
    (gradient,) = torch.autograd.grad(attention(matrix, target, source).pow(2).sum(), target, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_loops_weigh_the_mean_of_the_others_by_hand() -> None:
    adjacency = sp.csr_matrix(np.array([[9, 1, 3], [1, 0, 0], [3, 0, 0]], dtype=np.float32))
    isolated = sp.block_diag([adjacency, [[0]]], format="csr", dtype=np.float32)
    expected = [[2, 1, 3, 0], [1, 1, 0, 0], [3, 0, 3, 0], [0, 0, 0, 0]]
    looped = with_mean_loops(isolated)
    assert looped.toarray().tolist() == expected
    assert looped.nnz == 8  # the isolated node has a loop of weight 0


def test_loops_leave_entries_that_are_listed_twice() -> None:
    parts = np.array([1, 3, 4], dtype=np.float32), np.array([1, 1, 0]), np.array([0, 2, 3])
    looped = with_mean_loops(sp.csr_matrix(parts, shape=(2, 2)))
    assert looped.indices.tolist() == [0, 1, 1, 0, 1]
    assert looped.data.tolist() == [2, 1, 3, 4, 4]


def test_attention_matrices_are_made_once_and_kept_apart() -> None:
    graph = random_graph(weighted=True)
    assert graph.attention_matrix(True, CPU) is graph.attention_matrix(True, CPU)
    assert graph.attention_matrix(True, CPU) is not graph.matrix("none", True, CPU)
    assert graph.attention_matrix(False, CPU) is graph.matrix("none", False, CPU)
