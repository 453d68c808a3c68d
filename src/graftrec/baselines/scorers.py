"""The few shapes that scores have."""

from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor

WIDTH: Final = 32  # users whose dense signals pass a graph at once: they stay in cache, a row is whole vector registers


class SparseProduct:
    """Rows of a sparse product: left [U, n] @ right [n, I], and to each item its ``bias`` [I] if there is one."""

    def __init__(self, left: sp.csr_matrix, right: sp.csr_matrix, bias: np.ndarray | None = None) -> None:
        self.left, self.right = left, right
        self.bias = None if bias is None else torch.from_numpy(bias.astype(np.float32))

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        scores = torch.from_numpy((self.left[users.cpu().numpy()] @ self.right).toarray())
        if self.bias is not None:
            scores += self.bias
        return scores if out is None else out.copy_(scores)


class DenseProduct:
    """Sums of dense rows: train [U, I], binary, @ weights [I, I]."""

    def __init__(self, train: sp.csr_matrix, weights: Tensor) -> None:
        self.train, self.weights = train, weights

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        rows = self.train[users.cpu().numpy()]
        items, offsets = (torch.from_numpy(part.astype(np.int64)) for part in (rows.indices, rows.indptr))
        scores = F.embedding_bag(items, self.weights, offsets, mode="sum", include_last_offset=True)
        return scores if out is None else out.copy_(scores)
