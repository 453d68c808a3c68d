"""Logistic heads: from the embeddings of a user and an item to the logit of interest."""

import torch
from torch import Tensor, nn


class Head(nn.Module):
    """Base of all heads: ``forward(users [B, d], items [B, d])`` gives logits [B]; P(interest) = sigmoid(logit)."""

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        raise NotImplementedError


class DotHead(Head):
    """logit = scale * <u, i> + bias, which starts as the inner product."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.scale * (users * items).sum(-1) + self.bias


class BilinearHead(Head):
    """logit = u^T W i + bias, which starts as the inner product (W = 1)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(dim))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return (users @ self.weight * items).sum(-1) + self.bias


class MLPHead(Head):
    """logit = w . ReLU(V [u, i, u * i] + c) + bias, ``hidden`` wide: NeuMF's two paths in one (He et al., WWW 2017)."""

    def __init__(self, dim: int, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3 * dim, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.layers(torch.cat([users, items, users * items], dim=-1)).squeeze(-1)
