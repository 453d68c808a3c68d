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


class ProjectedText(nn.Module):
    """Frozen features through a trained projector; zero for a node without features.

    ``projector``: ``linear``, or ``mlp`` (linear to ``hidden``, LeakyReLU, linear). Users and items share
    it; their features must be equally wide. ``std`` > 0 rescales the features so that their
    entries have that standard deviation over the nodes that have them (unit vectors of F dimensions have about
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
        stacked, present = _stack(features), _present(features, space)
        if std > 0:
            own = stacked if present is None else stacked[present]
            stacked *= std / own.std().clamp(min=1e-12)
        self.register_buffer("features", stacked, persistent=False)  # frozen: the store keeps them
        self.register_buffer("present", None if present is None else present[:, None], persistent=False)
        self.features: Tensor
        self.present: Tensor | None
        width = stacked.shape[1]
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


class TextInput(ProjectedText):
    """Text and no ids (AlphaRec, Sheng et al., ICLR 2025); refuses nodes without text."""

    def __init__(
        self,
        space: NodeSpace,
        features: NodeFeatures,
        dim: int,
        projector: str = "mlp",
        hidden: int = 256,
        std: float = 1.0,
    ) -> None:
        present = _present(features, space)
        if present is not None:
            raise InputError(
                f"input=text has nothing for {int((~present).sum()):,} of {len(present):,} users and items, which have "
                f"no text under features.missing=id; choose input=id_plus_text or features.missing=zero."
            )
        super().__init__(space, features, dim, projector, hidden, std)


class IdPlusTextInput(nn.Module):
    """The sum of a free vector per node and its projected features."""

    def __init__(
        self,
        space: NodeSpace,
        features: NodeFeatures,
        dim: int,
        projector: str = "linear",
        hidden: int = 256,
        std: float = 0.3,
        id_std: float = 0.1,
    ) -> None:
        super().__init__()
        self.ids = IdInput(space, features, dim, id_std)
        self.text = ProjectedText(space, features, dim, projector, hidden, std)

    def reset_parameters(self) -> None:
        self.ids.reset_parameters()
        self.text.reset_parameters()

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        return self.ids() + self.text()


def _present(features: NodeFeatures, space: NodeSpace) -> Tensor | None:
    """Which nodes have features, boolean [N]; None where all have."""
    if features.user_present is None and features.item_present is None:
        return None
    blocks = ((features.user_present, space.num_users), (features.item_present, space.num_items))
    return torch.cat([torch.ones(n, dtype=torch.bool) if b is None else torch.from_numpy(b) for b, n in blocks])


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
