"""``input=text``: text and no ids."""

from graftrec.errors import InputError
from graftrec.nn.inputs.base import Nodes
from graftrec.nn.inputs.projected import TextElseId


class TextInput(TextElseId):
    """Projected text and no ids (AlphaRec, Sheng et al., ICLR 2025); refuses nodes without text.

    Under features.users=none all users have ids in its place, drawn from normal(0, ``id_std``).
    """

    def __init__(
        self,
        nodes: Nodes,
        dim: int,
        projector: str = "mlp",
        hidden: int = 256,
        std: float = 1.0,
        id_std: float = 0.1,
    ) -> None:
        blocks = (nodes.features.user_present, nodes.features.item_present)
        absent = sum(int((~present).sum()) for present in blocks if present is not None)
        if absent:
            raise InputError(
                f"input=text has nothing for {absent:,} of {nodes.space.num_nodes:,} users and items, which have "
                f"no text under features.missing=id; choose input=id_plus_text or features.missing=zero."
            )
        super().__init__(nodes, dim, projector, hidden, std, id_std)
