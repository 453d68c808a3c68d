"""From embeddings to the vectors whose inner product is the score."""

import torch.nn.functional as F
from torch import Tensor, nn


class Dot(nn.Module):
    """score(u, i) = <z_u, z_i>."""

    def factors(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """User vectors [U, d] and item vectors [I, d]."""
        return users, items


class Cosine(nn.Module):
    """score(u, i) = <z_u, z_i> / (|z_u| |z_i|)."""

    def factors(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """User vectors [U, d] and item vectors [I, d], of unit length."""
        return F.normalize(users, dim=-1), F.normalize(items, dim=-1)
