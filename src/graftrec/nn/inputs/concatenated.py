"""``input=concatenated``: ids and text side by side."""

import torch
from torch import Tensor

from graftrec.errors import InputError
from graftrec.nn.inputs.base import Input, Nodes
from graftrec.nn.inputs.ids import IdsBesideText
from graftrec.nn.inputs.projected import TextElseId


class ConcatenatedInput(Input):
    """A free vector of ``id_dim`` numbers (None: half of ``dim``), then projected features of dim - id_dim.

    A node without features has free numbers in their place.
    """

    node_tables = 1

    def __init__(
        self,
        nodes: Nodes,
        dim: int,
        id_dim: int | None = None,
        projector: str = "linear",
        hidden: int = 256,
        std: float = 0.3,
        id_std: float = 0.1,
    ) -> None:
        super().__init__()
        id_dim = dim // 2 if id_dim is None else id_dim
        if not 0 < id_dim < dim:
            raise InputError(f"input.id_dim={id_dim} must lie between 0 and dim={dim}, so that the text has a part.")
        self.ids = IdsBesideText(nodes, id_dim, id_std)
        self.text = TextElseId(nodes, dim - id_dim, projector, hidden, std, id_std)

    def reset_parameters(self) -> None:
        self.ids.reset_parameters()
        self.text.reset_parameters()

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        return torch.cat([self.ids(), self.text()], dim=1)
