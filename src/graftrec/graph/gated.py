"""Sums of gated messages over a node's neighbours, without a vector for every edge."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from graftrec.graph.propagate import SparseMatrix

CPU_BLOCK = 4096  # edges: 3 MB of vectors at d = 64; gowalla takes 1.4 times as long with 1024, the same with 12288
GPU_BLOCK = 262_144


class EdgeTerm(NamedTuple):
    """What an edge of weight w adds: w * gate [d] inside the sigmoid, w * value [d] to the neighbour's value."""

    gate: Tensor
    value: Tensor


def gated_sum(
    matrix: SparseMatrix, key: Tensor, query: Tensor, value: Tensor, edge_term: EdgeTerm | None = None
) -> Tensor:
    """out_i = sum_j sigma(key_i + query_j + w_ij a) * (value_j + w_ij b), all [N, d].

    Bresson & Laurent, 2017 (arXiv 1711.07553), second summand of eq. 11. j runs over the entries of row i
    of ``matrix``; ``edge_term`` holds a and b [d], zero without one. Gradients go to all but the weights w.
    Forward and backward each visit the edges once, a block at a time.
    """
    out: Tensor = _GatedSum.apply(matrix, key, query, value, *(edge_term or (None, None)))
    return out


class _GatedSum(torch.autograd.Function):
    """With z_ij the sigmoid's argument and G_i the gradient to out_i, the gradients are

    key_i:   G_i * sum_j sigma'(z_ij) (value_j + w_ij b), a sum that forward takes along with its own;
    value_j: sum_i sigma(z_ij) G_i;
    query_j: value_j * sum_i sigma'(z_ij) G_i + b * sum_i w_ij sigma'(z_ij) G_i;
    a:       sum_ij w_ij sigma'(z_ij) G_i (value_j + w_ij b);
    b:       sum_ij w_ij sigma(z_ij) G_i.

    The sums over i are forward's sums over j in the transposed matrix, with keys and queries exchanged and G
    for the values.
    """

    @staticmethod
    def forward(ctx: Any, matrix: SparseMatrix, key: Tensor, query: Tensor, value: Tensor, *term: Tensor) -> Tensor:
        shift = None if term[0] is None else torch.cat(term)
        (slopes,), (out,) = _sums(matrix, key, query, value, shift, powers=1)
        ctx.matrix = matrix
        ctx.save_for_backward(key, query, value, slopes, *term)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        key, query, value, key_slopes, gate_term, value_term = ctx.saved_tensors
        transpose, to_key = ctx.matrix.transpose or ctx.matrix, gradient * key_slopes
        if gate_term is None:
            (slope,), (to_value,) = _sums(transpose, query, key, gradient, None, powers=1)
            return None, to_key, value * slope, to_value, None, None
        shift = torch.cat([gate_term, torch.zeros_like(value_term)])
        slopes, gates = _sums(transpose, query, key, gradient, shift, powers=3)
        to_query = value * slopes[0] + value_term * slopes[1]
        to_gate_term = (value * slopes[1] + value_term * slopes[2]).sum(0)
        return None, to_key, to_query, gates[0], to_gate_term, gates[1].sum(0)


def _sums(
    matrix: SparseMatrix, own: Tensor, other: Tensor, value: Tensor, shift: Tensor | None, powers: int
) -> tuple[list[Tensor], list[Tensor]]:
    """Sums of w^p sigma'(z) u and of w^p sigma(z) u over each row's entries, [N, d] for every p < ``powers``.

    z = own_row + other_column + w shift[:d] and u = value_column + w shift[d:].
    """
    dim = value.shape[1]
    slopes, gates = ([value.new_zeros(value.shape) for _ in range(powers)] for _ in range(2))
    for block, messages in _gated_blocks(matrix, own, torch.cat([other, value], dim=1), shift):
        for power in range(powers):
            sums = block.sum_rows(messages, power)
            slopes[power][block.rows] += sums[:, :dim]
            gates[power][block.rows] += sums[:, dim:]
    return slopes, gates


@dataclass(frozen=True)
class _Block:
    """Consecutive entries of a sparse matrix; more of its first and last row may lie in other blocks."""

    rows: slice
    offsets: Tensor  # where the entries of each row begin in the block, and where the last row's end
    columns: Tensor
    weights: Tensor

    def sum_rows(self, messages: Tensor, power: int) -> Tensor:
        """Messages [B, c], times weight^power, summed by row."""
        entries = torch.arange(len(messages), dtype=self.offsets.dtype, device=messages.device)
        weights = self.weights.to(messages.dtype) ** power if power else None
        return F.embedding_bag(
            entries, messages, self.offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
        )


def _gated_blocks(
    matrix: SparseMatrix, own: Tensor, table: Tensor, shift: Tensor | None
) -> Iterator[tuple[_Block, Tensor]]:
    """Blocks with their [sigma'(z) u | sigma(z) u], [B, 2d] in a buffer that the next one overwrites."""
    dim = own.shape[1]
    size = min(CPU_BLOCK if own.device.type == "cpu" else GPU_BLOCK, len(matrix.columns))
    messages, own_rows = table.new_empty(size, 2 * dim), own.new_empty(size, dim)
    for block in _blocks(matrix, size):
        count = len(block.columns)
        torch.index_select(table, 0, block.columns, out=messages[:count])
        if shift is not None:
            messages[:count].addcmul_(block.weights.to(own.dtype)[:, None], shift)
        entry_rows = torch.repeat_interleave(block.offsets.diff(), output_size=count)
        torch.index_select(own[block.rows], 0, entry_rows, out=own_rows[:count])
        _gate(messages[:count], own_rows[:count])
        yield block, messages[:count]


def _gate(messages: Tensor, own: Tensor) -> None:
    """[y | u] to [sigma'(own + y) u | sigma(own + y) u], in place."""
    gate, value = messages.chunk(2, dim=1)
    gate.add_(own).sigmoid_()
    value.mul_(gate)
    torch.addcmul(value, gate, value, value=-1, out=gate)  # sigma' = sigma - sigma^2


def _blocks(matrix: SparseMatrix, size: int) -> Iterator[_Block]:
    """All entries, ``size`` at a time."""
    offsets, num_entries = matrix.row_offsets, len(matrix.columns)
    starts = torch.arange(0, num_entries, max(size, 1), dtype=offsets.dtype, device=offsets.device)
    first_rows = (torch.searchsorted(offsets, starts, right=True) - 1).tolist()
    last_rows = torch.searchsorted(offsets, (starts + size).clamp(max=num_entries)).tolist()
    for start, first, last in zip(starts.tolist(), first_rows, last_rows, strict=True):
        entries = slice(start, min(start + size, num_entries))
        inside = (offsets[first : last + 1] - start).clamp(0, entries.stop - start)
        yield _Block(slice(first, last), inside, matrix.columns[entries], matrix.weights[entries])
