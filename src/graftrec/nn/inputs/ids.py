"""``input=id``: no text."""

import torch
from torch import Tensor, nn

from graftrec.nn.inputs.base import Input, Nodes


class IdInput(Input):
    """A free vector per node, drawn from normal(0, ``std``); LightGCN's start is std = 0.1."""

    def __init__(self, nodes: Nodes, dim: int, std: float = 0.1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(nodes.space.num_nodes, dim))
        self.std = std
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=self.std)

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        return self.weight


class IdsBesideText(IdInput):
    """Free vectors beside text: zero for a cold node that has text.

    Training never sees such a node but as a negative, so that its vector would be noise.
    """

    def __init__(self, nodes: Nodes, dim: int, std: float) -> None:
        super().__init__(nodes, dim, std)
        muted = nodes.cold & nodes.has_text
        used = torch.from_numpy(~muted)[:, None] if muted.any() else None
        self.register_buffer("used", used, persistent=False)
        self.used: Tensor | None

    def forward(self) -> Tensor:
        """Rows [N, d]."""
        return self.weight if self.used is None else self.weight * self.used
