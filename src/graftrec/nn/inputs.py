"""The initial node vectors x0 [N, d]: ids, text, or both."""

import torch
from torch import Tensor, nn

from graftrec.errors import InputError, check_choice
from graftrec.features.nodes import NodeFeatures
from graftrec.graph.node_space import NodeSpace


class IdInput(nn.Module):
    """A free vector per node, drawn from normal(0, ``std``); LightGCN's start is std = 0.1."""

    def __init__(self, space: NodeSpace, features: NodeFeatures, dim: int, std: float = 0.1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(space.num_nodes, dim))
        self.std = std
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=self.std)

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        return self.weight


class TextInput(nn.Module):
    """Frozen features through a trained projector; no ids (AlphaRec, Sheng et al., ICLR 2025).

    ``projector``: ``linear``, or ``mlp`` (linear to ``hidden``, LeakyReLU, linear). Users and items share
    it; their features must be equally wide. ``std`` > 0 rescales the features so that their
    entries have that standard deviation over the catalogue (unit vectors of F dimensions have about
    1 / sqrt(F), too little for Adam's first steps).
    """

    def __init__(
        self,
        space: NodeSpace,
        features: NodeFeatures,
        dim: int,
        projector: str = "mlp",
        hidden: int = 256,
        std: float = 1.0,
    ) -> None:
        super().__init__()
        check_choice("input.projector", projector, ("linear", "mlp"))
        stacked = _stack(features)
        if std > 0:
            stacked *= std / stacked.std().clamp(min=1e-12)
        self.register_buffer("features", stacked, persistent=False)  # frozen: the store keeps them
        self.features: Tensor
        width = stacked.shape[1]
        layers = [nn.Linear(width, hidden), nn.LeakyReLU(), nn.Linear(hidden, dim)]
        self.projector = nn.Sequential(*(layers if projector == "mlp" else [nn.Linear(width, dim)]))

    def reset_parameters(self) -> None:
        for layer in self.projector:
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        return self.projector(self.features)


class IdPlusTextInput(nn.Module):
    """The sum of a free vector per node and its projected features."""

    def __init__(
        self,
        space: NodeSpace,
        features: NodeFeatures,
        dim: int,
        projector: str = "mlp",
        hidden: int = 256,
        std: float = 1.0,
        id_std: float = 0.1,
    ) -> None:
        super().__init__()
        self.ids = IdInput(space, features, dim, id_std)
        self.text = TextInput(space, features, dim, projector, hidden, std)

    def reset_parameters(self) -> None:
        self.ids.reset_parameters()
        self.text.reset_parameters()

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        return self.ids() + self.text()


def _stack(features: NodeFeatures) -> Tensor:
    """User rows above item rows, float32 [N, F]."""
    if features.item is None or features.user is None:
        lacking = "items" if features.item is None else "users"
        raise InputError(
            f"This input reads text, but {lacking} have no features; choose features=minilm "
            f"(and features.users=items or text), or input=id."
        )
    if features.user.shape[1] != features.item.shape[1]:
        raise InputError(
            f"User features are {features.user.shape[1]} wide, item features {features.item.shape[1]}; "
            f"users and items share one projector: give both the same width."
        )
    return torch.cat([torch.from_numpy(features.user), torch.from_numpy(features.item)])
