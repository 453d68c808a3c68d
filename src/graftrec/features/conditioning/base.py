"""What conditioning is: one affine map, fitted on the training catalogue."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from graftrec.errors import InputError


@dataclass(frozen=True, eq=False)
class Affine:
    """x -> (x - shift) M. Being affine, it commutes with the mean of a user's items."""

    shift: np.ndarray | None = None  # float32 [F]
    matrix: np.ndarray | None = None  # float32 [F, d]

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """[n, F] to [n, d]."""
        moved = vectors if self.shift is None else vectors - self.shift
        return moved if self.matrix is None else moved @ self.matrix


class Conditioning(Protocol):
    """What ``conditioning=`` chooses."""

    def width(self, width: int, num_items: int) -> int:
        """d of vectors of ``width`` numbers, fitted on ``num_items`` items; refuses what ``fit`` would refuse."""
        ...

    def fit(self, vectors: np.ndarray) -> Affine:
        """The map, from the vectors [n, F] of the training catalogue."""
        ...


def check_dim(dim: int, width: int) -> None:
    """Refuse a ``dim`` that vectors of ``width`` numbers cannot be brought to."""
    if isinstance(dim, bool) or not isinstance(dim, int) or not 1 <= dim <= width:
        raise InputError(
            f"conditioning.dim={dim!r} must be a whole number from 1 to {width:,}, the numbers in a text's vector; "
            f"make it smaller, or choose features with wider vectors."
        )


def check_span(dim: int, num_items: int) -> None:
    """Refuse more directions than ``num_items`` centred vectors can span."""
    if dim >= num_items:
        raise InputError(
            f"conditioning.dim={dim:,} directions need more than {dim:,} items with text in training, and there are "
            f"{num_items:,}; make conditioning.dim smaller, or choose conditioning=select or random_projection."
        )


def mean(vectors: np.ndarray) -> np.ndarray:
    """Mean row, float32 [F], summed in float64."""
    average: np.ndarray = vectors.mean(axis=0, dtype=np.float64)
    return average.astype(np.float32)
