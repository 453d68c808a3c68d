"""The one sparse product that every encoder with linear messages uses."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

# The precisions in which an encoder may run its products; None is that of the input.
PRECISIONS: Final[dict[str, torch.dtype | None]] = {"float32": None, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, eq=False)
class Pattern:
    """Where a matrix has entries, row after row; an entry that is listed twice counts twice."""

    row_offsets: Tensor  # int64 [R + 1]
    columns: Tensor  # int64 [E]

    @cached_property
    def rows(self) -> Tensor:
        """The row of every entry, int64 [E]."""
        numbers = torch.arange(len(self.row_offsets) - 1, device=self.columns.device)
        return numbers.repeat_interleave(self.row_offsets.diff(), output_size=len(self.columns))

    @cached_property
    def keys(self) -> Tensor:
        """Row and column of every entry as one number, row * R + column, ascending, int64 [E]; of a square matrix."""
        return self.rows * (len(self.row_offsets) - 1) + self.columns

    def spread(self, values: Tensor) -> Tensor:
        """The value [R] of its row at every entry, [E]."""
        return values.index_select(0, self.rows)

    def reduce(self, values: Tensor, reduction: str) -> Tensor:
        """``sum`` or ``max`` of the values [E] of every row, [R]; 0 or -inf for a row without entries."""
        return torch.segment_reduce(values, reduction, offsets=self.row_offsets, unsafe=True)


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A square matrix in compressed rows, ready to be multiplied: A [N, N].

    ``symmetric`` says that A is its own transpose, which ``transpose`` then returns.
    """

    pattern: Pattern
    weights: Tensor  # float32 [E]
    symmetric: bool = False
    _weights: dict[torch.dtype, Tensor] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, matrix: sp.csr_matrix, symmetric: bool, device: torch.device | str = "cpu") -> "SparseMatrix":
        """Copy a SciPy matrix to ``device``, with every row's columns in ascending order."""
        matrix = matrix.sorted_indices()
        offsets, columns = (torch.from_numpy(part.astype("int64")) for part in (matrix.indptr, matrix.indices))
        return cls(Pattern(offsets.to(device), columns.to(device)), torch.from_numpy(matrix.data).to(device), symmetric)

    def restricted(self, kept: Tensor) -> "SparseMatrix":
        """The matrix of the entries that are ``kept``, boolean [E]; with A_ij also A_ji where it is symmetric."""
        offsets = F.pad(kept.cumsum(0), (1, 0))[self.row_offsets]
        return SparseMatrix(Pattern(offsets, self.columns[kept]), self.weights[kept], self.symmetric)

    @property
    def row_offsets(self) -> Tensor:
        return self.pattern.row_offsets

    @property
    def columns(self) -> Tensor:
        return self.pattern.columns

    def weights_as(self, dtype: torch.dtype) -> Tensor:
        """The weights in another precision, made once."""
        if dtype not in self._weights:
            self._weights[dtype] = self.weights.to(dtype)
        return self._weights[dtype]

    def with_weights(self, weights: Tensor) -> "SparseMatrix":
        """The same pattern with other weights [E], which may be learned."""
        other = SparseMatrix(self.pattern, weights, self.symmetric)
        if not self.symmetric:  # sorted once for all
            vars(other).update(transposed_order=self.transposed_order, transposed_pattern=self.transposed_pattern)
        return other

    @cached_property
    def transposed_order(self) -> Tensor:
        """int64 [E]: entry k of ``transposed_pattern`` is entry ``transposed_order[k]`` of A."""
        return self.columns.argsort(stable=True)

    @cached_property
    def transposed_pattern(self) -> Pattern:
        """Where A^T has entries; the pattern of A itself where that is the same."""
        counts = self.columns.bincount(minlength=len(self.row_offsets) - 1)
        pattern = Pattern(F.pad(counts.cumsum(0), (1, 0)), self.pattern.rows.index_select(0, self.transposed_order))
        same = torch.equal(pattern.columns, self.columns) and torch.equal(pattern.row_offsets, self.row_offsets)
        return self.pattern if same else pattern

    @cached_property
    def transpose(self) -> "SparseMatrix":
        """A^T."""
        if self.symmetric:
            return self
        return SparseMatrix(self.transposed_pattern, self.weights[self.transposed_order])


def propagate(
    matrix: SparseMatrix,
    x: Tensor,
    weights: Tensor | None = None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """A @ x for x [N, d]: [N, d].

    ``weights`` [E] replace those of the matrix: y_i = sum_e w_e x_column(e) over the entries e of row i.
    ``dtype`` is the precision of the product, of its result and of its gradients inside (x's if None);
    x and the weights get theirs back in their own. Gradients: A^T @ g to x, <g_row(e), x_column(e)> to
    w_e. They cannot be differentiated a second time.
    """
    dtype = dtype or x.dtype
    own = matrix.weights_as(dtype) if weights is None else weights.to(dtype)
    return _Product.apply(x.to(dtype), own, matrix, weights is None)


class _Product(torch.autograd.Function):
    """The product and its gradients, all in one precision."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor, matrix: SparseMatrix, fixed: bool) -> Tensor:
        ctx.matrix = matrix
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, None if fixed else weights)
        return multiply(matrix.pattern, weights, x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weights = ctx.saved_tensors
        gradient = gradient.contiguous()
        to_x = multiply_transposed(ctx.matrix, weights, gradient) if ctx.needs_input_grad[0] else None
        to_weights = entry_products(ctx.matrix.pattern, gradient, x) if ctx.needs_input_grad[1] else None
        return to_x, to_weights, None, None


def entries_of(pattern: Pattern, rows: Tensor) -> tuple[Pattern, Tensor]:
    """The pattern [R, N] of some rows and the numbers of their entries in the whole one."""
    start = pattern.row_offsets[rows]
    counts = pattern.row_offsets[rows + 1] - start
    offsets = F.pad(counts.cumsum(0), (1, 0))
    shift = (start - offsets[:-1]).repeat_interleave(counts)
    entries = torch.arange(len(shift), device=shift.device) + shift
    return Pattern(offsets, pattern.columns.index_select(0, entries)), entries


def multiply_transposed(matrix: SparseMatrix, weights: Tensor | None, gradient: Tensor) -> Tensor:
    """A^T @ gradient, with the weights of the matrix or others [E]."""
    if weights is None:
        return multiply(matrix.transpose.pattern, matrix.transpose.weights_as(gradient.dtype), gradient)
    return multiply(matrix.transposed_pattern, weights.index_select(0, matrix.transposed_order), gradient)


def multiply(pattern: Pattern, weights: Tensor, x: Tensor) -> Tensor:
    """y_i = sum_e w_e x_column(e) over the entries e of row i, [R, d], without gradients."""
    if x.device.type == "cpu":  # a prefetching kernel, several times faster than torch.sparse
        return F.embedding_bag(
            pattern.columns, x, pattern.row_offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
        )
    return _sparse_tensor(pattern, weights, len(x)) @ x


def entry_products(pattern: Pattern, left: Tensor, right: Tensor) -> Tensor:
    """<left_row(e), right_column(e)> for every entry e, [E]; bfloat16 is computed in float32."""
    precise = torch.promote_types(left.dtype, torch.float32)  # there is no kernel for less
    zeros = torch.zeros(len(pattern.columns), dtype=precise, device=left.device)
    sparse = _sparse_tensor(pattern, zeros, len(right))
    products = torch.sparse.sampled_addmm(sparse, left.to(precise), right.to(precise).T, beta=0.0)
    return products.values().to(left.dtype)


def _sparse_tensor(pattern: Pattern, values: Tensor, num_columns: int) -> Tensor:
    size = (len(pattern.row_offsets) - 1, num_columns)
    return torch.sparse_csr_tensor(pattern.row_offsets, pattern.columns, values, size, check_invariants=False)
