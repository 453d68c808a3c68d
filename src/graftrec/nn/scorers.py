"""From embeddings to the vectors whose inner product is the score."""

import torch.nn.functional as F
from torch import Tensor, nn


class Dot(nn.Module):
    """score(u, i) = <z_u, z_i>."""

    def factors(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """User vectors [U, d] and item vectors [I, d]."""
        return users, items


class Cosine(nn.Module):
    """score(u, i) = <z_u, z_i> / (|z_u| |z_i|) |z_i|^item_norm.

    ``item_norm``: 0 is the cosine, 1 ranks as ``Dot``. Objectives of cosines leave an item's popularity to its norm,
    and ranking is often best with a part of it (experiments/lightgcn_gowalla).
    """

    def __init__(self, item_norm: float = 0.0) -> None:
        super().__init__()
        self.item_norm = item_norm

    def factors(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """User vectors [U, d] of unit length and item vectors [I, d] of length |z_i|^item_norm."""
        lengths = items.norm(dim=-1, keepdim=True) ** self.item_norm
        return F.normalize(users, dim=-1), F.normalize(items, dim=-1) * lengths
