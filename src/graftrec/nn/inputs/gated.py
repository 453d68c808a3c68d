"""``input=gated``: ids where training knows a node well, text where it does not."""

import torch
from torch import Tensor, nn

from graftrec.nn.inputs.base import Input, Nodes
from graftrec.nn.inputs.ids import IdsBesideText
from graftrec.nn.inputs.projected import ProjectedText


class GatedInput(Input):
    """x0 = g * id + (1 - g) * text with g = sigmoid(a * log(1 + degree) + b), degree in training.

    a and b are trained, one pair for users and one for items. They start at a = 1 and b = -log(1 + the median degree
    of the nodes with text), where both count alike: nodes known worse lean on text. A cold node with text has
    g = 0 (text alone), a node without text g = 1. The gate changes lengths: scorer=cosine compares nodes of all degrees
    alike, scorer=dot does not.
    """

    node_tables = 3

    def __init__(
        self,
        nodes: Nodes,
        dim: int,
        projector: str = "linear",
        hidden: int = 256,
        std: float = 0.3,
        id_std: float = 0.1,
    ) -> None:
        super().__init__()
        self.ids = IdsBesideText(nodes, dim, id_std)
        self.text = ProjectedText(nodes, dim, projector, hidden, std)
        self.num_users = nodes.space.num_users
        decided = torch.from_numpy(~nodes.has_text | nodes.cold)[:, None]
        self.register_buffer("decided", decided, persistent=False)
        self.register_buffer("without_text", torch.from_numpy(~nodes.has_text)[:, None].float(), persistent=False)
        self.register_buffer("log_degree", nodes.degree[:, None].float().log1p(), persistent=False)
        self.decided: Tensor
        self.without_text: Tensor
        self.log_degree: Tensor
        self.middle = [
            _median(degrees[~known])
            for degrees, known in zip(self._split(self.log_degree), self._split(decided), strict=True)
        ]
        self.slope, self.bias = nn.Parameter(torch.empty(2)), nn.Parameter(torch.empty(2))
        self._reset_gate()

    def reset_parameters(self) -> None:
        self.ids.reset_parameters()
        self.text.reset_parameters()
        self._reset_gate()

    def _reset_gate(self) -> None:
        with torch.no_grad():
            self.slope.fill_(1.0)
            self.bias.copy_(-torch.tensor(self.middle))

    def _split(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        return nodes[: self.num_users], nodes[self.num_users :]

    def gate(self) -> Tensor:
        """g [N, 1]."""
        parts = self._split(self.log_degree)
        scores = torch.cat([self.slope[kind] * part + self.bias[kind] for kind, part in enumerate(parts)])
        return torch.where(self.decided, self.without_text, scores.sigmoid())

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        text, ids = self.text(), self.ids()
        return torch.lerp(text.to(ids.dtype), ids, self.gate())  # a projector may give bfloat16


def _median(values: Tensor) -> float:
    """0 of no values."""
    return values.median().item() if len(values) else 0.0
