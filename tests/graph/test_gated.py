"""The gated sum and its gradients against a loop over edges and finite differences; what it keeps in memory."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from graftrec.graph import gated
from graftrec.graph.gated import EdgeTerm, gated_sum
from graftrec.graph.propagate import SparseMatrix

DIM = 3
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")),
]
on_devices = pytest.mark.parametrize("device", DEVICES)
with_and_without_weights = pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])
block_sizes = pytest.mark.parametrize("block", [1, 2, 5, 4096])


@st.composite
def symmetric_counts(draw: st.DrawFn) -> np.ndarray:
    """How often each edge occurs, [n, n]; isolated nodes, loops and duplicate edges are frequent."""
    size = draw(st.integers(1, 6))
    counts = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=size**2, max_size=size**2))
    upper = np.triu(np.reshape(counts, (size, size)))
    return upper + np.triu(upper, 1).T


def matrix_of(counts: np.ndarray, device: str = "cpu") -> SparseMatrix:
    """Edges with the weights 0.5, 1 or 1.5, equal in both directions if both exist; duplicates stay apart."""
    rows, columns = counts.nonzero()
    repeats = counts[rows, columns]
    offsets = np.concatenate([[0], counts.sum(1).cumsum()])
    weights = ((rows + columns) % 3 + 1).astype(np.float32) / 2
    arrays = (weights.repeat(repeats), columns.repeat(repeats), offsets)
    return SparseMatrix.of(sp.csr_matrix(arrays, counts.shape), bool((counts == counts.T).all()), device)


def hub_counts() -> np.ndarray:
    """Nine nodes: the second is a neighbour of all but two, which are isolated; one edge is there twice."""
    counts = np.zeros((9, 9), dtype=int)
    counts[1, 2:8] = counts[2:8, 1] = 1
    counts[3, 4] = counts[4, 3] = 2
    return counts


def random_inputs(num_nodes: int, weighted: bool, device: str = "cpu") -> list[Tensor]:
    """Keys, queries and values [n, 3] and, if weighted, the edge term's two [3]; float64."""
    shapes = [(num_nodes, DIM)] * 3 + [(DIM,)] * (2 if weighted else 0)
    generator = torch.Generator().manual_seed(2)
    draws = [torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes]
    return [draw.to(device).requires_grad_() for draw in draws]


def blocked(matrix: SparseMatrix, inputs: list[Tensor]) -> Tensor:
    """``gated_sum`` of a list of inputs."""
    return gated_sum(matrix, *inputs[:3], EdgeTerm(*inputs[3:]) if len(inputs) > 3 else None)


def naive(matrix: SparseMatrix, inputs: list[Tensor]) -> Tensor:
    """The same, edge by edge."""
    key, query, value, *term = inputs
    gate_term, value_term = term or (torch.zeros_like(key[0]), torch.zeros_like(key[0]))
    out = [0 * own for own in key]
    for row in range(len(key)):
        for entry in range(int(matrix.row_offsets[row]), int(matrix.row_offsets[row + 1])):
            column, weight = matrix.columns[entry], matrix.weights[entry].to(key.dtype)
            gate = torch.sigmoid(key[row] + query[column] + weight * gate_term)
            out[row] = out[row] + gate * (value[column] + weight * value_term)
    return torch.stack(out)


def assert_equals_the_loop(counts: np.ndarray, weighted: bool, device: str = "cpu") -> None:
    """Outputs and all gradients agree in float64."""
    matrix, inputs = matrix_of(counts, device), random_inputs(len(counts), weighted, device)
    out, expected = blocked(matrix, inputs), naive(matrix, inputs)
    torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)
    outer = torch.randn(out.shape, dtype=out.dtype, generator=torch.Generator().manual_seed(3)).to(device)
    gradients = torch.autograd.grad(out, inputs, outer)
    wanted = torch.autograd.grad(expected, inputs, outer, materialize_grads=True, allow_unused=True)
    torch.testing.assert_close(gradients, wanted, rtol=1e-12, atol=1e-12)


@with_and_without_weights
@block_sizes
@on_devices
def test_equals_the_loop_with_a_hub_wider_than_a_block(
    device: str, block: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gated, "CPU_BLOCK", block)
    monkeypatch.setattr(gated, "GPU_BLOCK", block)
    assert_equals_the_loop(hub_counts(), weighted, device)


@given(symmetric_counts(), st.integers(1, 7), st.booleans())
@settings(max_examples=60, deadline=None)
def test_equals_the_loop_on_any_graph(counts: np.ndarray, block: int, weighted: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gated, "CPU_BLOCK", block)
        assert_equals_the_loop(counts, weighted)


@with_and_without_weights
def test_equals_the_loop_with_one_way_edges(weighted: bool) -> None:
    assert_equals_the_loop(np.triu(hub_counts()), weighted)


@with_and_without_weights
def test_gradients_agree_with_finite_differences(weighted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gated, "CPU_BLOCK", 4)
    matrix, inputs = matrix_of(hub_counts()), random_inputs(9, weighted)
    assert torch.autograd.gradcheck(lambda *tensors: blocked(matrix, list(tensors)), inputs)


def test_an_edge_without_a_gate_of_its_own_passes_half_of_the_value() -> None:
    matrix = matrix_of(np.array([[0, 1], [1, 0]]))
    zeros, value = torch.zeros(2, 1), torch.tensor([[2.0], [4.0]])
    assert gated_sum(matrix, zeros, zeros, value).tolist() == [[2.0], [1.0]]


def test_saturated_gates_give_finite_values_and_gradients() -> None:
    matrix, (key, query, value) = matrix_of(hub_counts()), random_inputs(9, False)
    out = gated_sum(matrix, key * 1e4, query * 1e4, value)
    gradients = torch.autograd.grad(out.sum(), (key, query, value))
    assert all(tensor.isfinite().all() for tensor in (out, *gradients))


def test_the_output_may_be_changed_in_place() -> None:
    matrix, inputs = matrix_of(hub_counts()), random_inputs(9, False)
    expected = torch.autograd.grad(blocked(matrix, inputs).relu().sum(), inputs)
    torch.testing.assert_close(torch.autograd.grad(blocked(matrix, inputs).relu_().sum(), inputs), expected)


@on_devices
def test_without_edges_gives_zeros(device: str) -> None:
    inputs = random_inputs(4, True, device)
    out = blocked(matrix_of(np.zeros((4, 4), dtype=int), device), inputs)
    assert not out.any()
    assert not any(gradient.any() for gradient in torch.autograd.grad(out.sum(), inputs))


class LargestTensor(TorchDispatchMode):
    """Remembers the most elements that an operation's result had."""

    elements = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.elements = max(self.elements, result.numel())
        return result


@with_and_without_weights
def test_no_tensor_has_a_vector_for_every_edge(weighted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gated, "CPU_BLOCK", 64)
    matrix, inputs = matrix_of(np.ones((100, 100), dtype=int)), random_inputs(100, weighted)
    with LargestTensor() as largest:
        blocked(matrix, inputs).sum().backward()
    assert largest.elements <= len(matrix.columns)  # a third of E * d


def test_nothing_of_the_number_of_edges_is_saved_for_backward() -> None:
    saved: list[int] = []
    matrix, inputs = matrix_of(np.ones((100, 100), dtype=int)), random_inputs(100, False)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: saved.append(tensor.numel()) or tensor, lambda t: t):
        blocked(matrix, inputs)
    assert sum(saved) == 4 * 100 * DIM  # keys, queries, values and one sum of each node
