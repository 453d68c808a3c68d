"""Frozen text through a trained projector."""

import numpy as np
import torch
from torch import Tensor, nn

from graftrec.errors import check_choice
from graftrec.nn.inputs.base import FreeRows, Input, Nodes, free_rows


class ProjectedText(Input):
    """Frozen features through a trained projector; zero for a node without features.

    ``projector``: ``linear``, or ``mlp`` (linear to ``hidden``, LeakyReLU, linear). Users and items share
    it; their features must be equally wide. ``std`` > 0 rescales the features so that their
    entries have that standard deviation over the nodes that have them (unit vectors of F dimensions have about
    1 / sqrt(F), too little for Adam's first steps).
    """

    def __init__(self, nodes: Nodes, dim: int, projector: str = "mlp", hidden: int = 256, std: float = 1.0) -> None:
        super().__init__()
        check_choice("input.projector", projector, ("linear", "mlp"))
        rows, has_text = nodes.text(std), nodes.has_text
        present = None if has_text.all() else torch.from_numpy(has_text)[:, None]
        self.register_buffer("features", rows, persistent=False)  # frozen: the store keeps them
        self.register_buffer("present", present, persistent=False)
        self.features: Tensor
        self.present: Tensor | None
        width = rows.shape[1]
        if projector == "mlp":
            self.projector = nn.Sequential(nn.Linear(width, hidden), nn.LeakyReLU(), nn.Linear(hidden, dim))
        else:
            self.projector = nn.Sequential(nn.Linear(width, dim))

    def reset_parameters(self) -> None:
        for layer in self.projector:
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        projected = self.projector(self.features)
        return projected if self.present is None else projected * self.present


class TextElseId(ProjectedText):
    """Projected text, and a free vector for each node without, drawn from normal(0, ``id_std``)."""

    def __init__(self, nodes: Nodes, dim: int, projector: str, hidden: int, std: float, id_std: float) -> None:
        super().__init__(nodes, dim, projector, hidden, std)
        self.ids: nn.Module = free_rows(np.logical_not(nodes.has_text), dim, id_std)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if isinstance(self.ids, FreeRows):
            self.ids.reset_parameters()

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        return self.ids(super().forward())
