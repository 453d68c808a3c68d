"""A graph filter: the linear one, and the low-pass one of the largest singular vectors."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.errors import check_number


@dataclass(frozen=True)
class GFCF(Baseline):
    """scores = R (N^T N + weight D_I^-1/2 V V^T D_I^1/2), N = D_U^-1/2 R D_I^-1/2.

    V are the ``rank`` leading right singular vectors of N: Shen et al. (CIKM 2021, eq. 10 and 11).
    """

    rank: int
    weight: float

    def __post_init__(self) -> None:
        check_number("GF-CF's rank", self.rank, 1)

    def fit(self, data: TrainingData) -> "FilteredHistory":
        normal = data.normalized
        gram = data.once("filter", None, lambda: sp.csr_matrix(normal.T @ normal))
        vectors = right_singular_vectors(data, self.rank)
        root = np.sqrt(data.train.item_degree).astype(np.float32)[:, None]
        down = vectors / np.maximum(root, 1)
        return FilteredHistory(data.matrix, gram, down * np.float32(self.weight), torch.from_numpy(vectors * root))

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        return 16 * co_occurring(user_degree, len(item_degree)) / 2**30  # once more while its layout is changed


class FilteredHistory:
    """history [U, I] @ (gram [I, I] + down [I, r] @ up^T), ``gram`` sparse."""

    def __init__(self, history: sp.csr_matrix, gram: sp.csr_matrix, down: np.ndarray, up: Tensor) -> None:
        self.history, self.gram, self.down, self.up = history, gram, down, up

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        rows = self.history[users.cpu().numpy()]
        linear, smooth = torch.from_numpy((rows @ self.gram).toarray()), torch.from_numpy(rows @ self.down)
        return torch.addmm(linear, smooth, self.up.T, out=out)


def right_singular_vectors(data: TrainingData, rank: int) -> np.ndarray:
    """The ``rank`` leading ones of ``data.normalized``, float32 [I, rank]; all where it has no more.

    Randomised (Halko et al., SIAM Review 2011), seeded: those of nearly equal singular values are mixed.
    """
    from sklearn.utils.extmath import randomized_svd

    most = min(rank, *data.matrix.shape)
    return data.once(
        "singular vectors",
        most,
        lambda: np.ascontiguousarray(randomized_svd(data.normalized, most, random_state=0)[2].T),
    )


def co_occurring(degree: np.ndarray, num_rows: int) -> float:
    """About how many pairs of ``num_rows`` rows share a column, given how many rows each column has.

    As if the pairs of each column fell on cells at random: 1.45 times what gowalla's items have.
    """
    cells = float(num_rows) ** 2
    return float(-np.expm1(-(degree.astype(np.float64) ** 2).sum() / cells) * cells)
