"""``input=id_plus_text``: the sum of both."""

from torch import Tensor

from graftrec.nn.inputs.base import Input, Nodes
from graftrec.nn.inputs.ids import IdsBesideText
from graftrec.nn.inputs.projected import ProjectedText


class IdPlusTextInput(Input):
    """The sum of a free vector per node and its projected features: one of both where the other is lacking."""

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

    def reset_parameters(self) -> None:
        self.ids.reset_parameters()
        self.text.reset_parameters()

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        return self.ids() + self.text()
