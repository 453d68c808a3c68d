"""``conditioning=pca`` and ``conditioning=whiten``: the directions along which items differ most."""

from dataclasses import dataclass

import numpy as np

from graftrec.features.conditioning.base import Affine, check_dim, check_span, mean

SMALLEST = 1e-5  # standard deviation of a direction, relative to the largest: below lies the error of float32


@dataclass(frozen=True)
class PCA:
    """The ``dim`` principal components, or, where that is None, all that the items span (``SMALLEST``).

    ``whiten`` divides each by its standard deviation, so that the covariance of the training items is the identity
    (BERT-whitening, Su et al., 2021). ``seed`` draws the start of scikit-learn's randomised solver.
    """

    dim: int | None = None
    whiten: bool = False
    seed: int = 0

    def width(self, width: int, num_items: int) -> int:
        dim = min(width, num_items - 1) if self.dim is None else self.dim
        check_dim(dim, width)
        check_span(dim, num_items)
        return dim

    def fit(self, vectors: np.ndarray) -> Affine:
        from sklearn.decomposition import PCA as SklearnPCA

        shift = mean(vectors)
        dim = self.width(vectors.shape[1], len(vectors))
        fitted = SklearnPCA(dim, random_state=self.seed).fit(vectors - shift)  # centred: its own mean is about 0
        deviation = np.sqrt(fitted.explained_variance_)
        kept = deviation > SMALLEST * deviation[0] if self.dim is None else np.full(dim, True)
        matrix = fitted.components_[kept].T
        if self.whiten:
            matrix = matrix / np.maximum(deviation[kept], SMALLEST * deviation[0])
        return Affine(shift, np.ascontiguousarray(matrix, dtype=np.float32))
