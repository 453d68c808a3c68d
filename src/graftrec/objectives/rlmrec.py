"""RLMRec: what a language model knows of a node, tied to its vector from the graph."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from graftrec.errors import InputError
from graftrec.features.nodes import NodeFeatures
from graftrec.objectives.cross_entropy import info_nce
from graftrec.objectives.step import Step, Term


class TextVectors(nn.Module):
    """Frozen vectors of users and of items, equally wide; one of the two may have none."""

    def __init__(self, features: NodeFeatures) -> None:
        super().__init__()
        blocks = {"users": (features.user, features.user_present), "items": (features.item, features.item_present)}
        self.widths = {name: block.shape[1] for name, (block, _) in blocks.items() if block is not None}
        if len(set(self.widths.values())) != 1:
            raise InputError(
                f"objective.terms.rlmrec reads text vectors of one width, but those of users and items have "
                f"{self.widths or 'none'}; choose features=minilm, or another objective."
            )
        for name, (block, present) in blocks.items():
            self.register_buffer(name, None if block is None else torch.from_numpy(block), persistent=False)
            known = None if present is None else torch.from_numpy(present)
            self.register_buffer(f"{name}_present", known, persistent=False)

    @property
    def width(self) -> int:
        return next(iter(self.widths.values()))

    def rows(self, name: str, numbers: Tensor) -> Tensor:
        """Their vectors [n, F]; ``name`` is users or items."""
        vectors = getattr(self, name)
        device = numbers.device
        return torch.empty(0, self.width, device=device) if vectors is None else vectors.index_select(0, numbers)

    def known(self, name: str, numbers: Tensor) -> Tensor:
        """Those of ``numbers`` that have a vector."""
        if getattr(self, name) is None:
            return numbers[:0]
        present = getattr(self, f"{name}_present")
        return numbers if present is None else numbers[present[numbers]]


class FeatureAlignment(nn.Module, Term):
    """RLMRec-Con: InfoNCE of a node's vector e and its projected text vector MLP(s), users plus items.

    Ren et al. (WWW 2024), eq. 7 and section 3.3.1: f(s, e) = exp(cos(MLP(s), e) / ``temperature``), with two
    layers, LeakyReLU, (F + d) / 2 wide. Each mean is over the different users, or positives and negatives, of
    the batch, against each other (the authors' code takes all users as candidates, counts repeated nodes, and adds
    up three means, of users, positives and negatives, so that items weigh twice as much).
    """

    def __init__(self, features: NodeFeatures, dim: int, temperature: float = 0.2) -> None:
        super().__init__()
        _check(temperature)
        self.texts = TextVectors(features)
        self.mlp = _mlp(self.texts.width, dim)
        self.temperature = temperature

    @property
    def whole_batch(self) -> str:
        return "set its weight to 0"

    def forward(self, step: Step) -> Tensor:
        batch, rows = step.batch, step.rows
        items = torch.cat([batch.items, batch.negatives.flatten()])
        item_rows = torch.cat([rows.items, rows.negatives.flatten(0, 1)])
        return self._of_kind("users", batch.users, rows.users) + self._of_kind("items", items, item_rows)

    def _of_kind(self, name: str, numbers: Tensor, rows: Tensor) -> Tensor:
        """Of users or items, whose ``numbers`` [B] may repeat, and their vectors ``rows`` [B, d]."""
        different, places = numbers.unique(return_inverse=True)
        known = self.texts.known(name, different)
        if len(known) == 0:
            return rows.new_zeros(())
        one_of_each = torch.empty_like(different).scatter_(0, places, torch.arange(len(places), device=places.device))
        vectors = rows.index_select(0, one_of_each[torch.searchsorted(different, known)])
        return info_nce(vectors, self.mlp(self.texts.rows(name, known)), self.temperature)


class FeatureReconstruction(nn.Module, Term):
    """RLMRec-Gen: InfoNCE of the text vectors s of masked nodes and MLP(e), e their vectors from the graph.

    Ren et al. (WWW 2024), section 3.3.2, and their code: users and items together. The nodes are those that
    ``objective.views`` hides by ``graph.views.NodeMask`` in the shared pass, the first ``at_most`` of them (drawn
    in random order): the contrast grows with their square.
    """

    whole: ClassVar[bool] = True

    def __init__(self, features: NodeFeatures, dim: int, temperature: float = 0.5, at_most: int = 4096) -> None:
        super().__init__()
        _check(temperature)
        self.texts = TextVectors(features)
        self.mlp = _mlp(dim, self.texts.width)
        self.temperature = temperature
        self.at_most = at_most

    def forward(self, step: Step) -> Tensor:
        masked, first_item = step.embeddings.masked, step.space.num_users
        if masked is None:
            raise InputError("rlmrec_gen has no masked nodes: objective.views must hold graftrec.graph.views.NodeMask.")
        masked = masked[: self.at_most]
        users = self.texts.known("users", masked[masked < first_item])
        items = self.texts.known("items", masked[masked >= first_item] - first_item)
        if len(users) + len(items) == 0:
            return step.start.x0.new_zeros(())
        vectors = torch.cat([self.texts.rows("users", users), self.texts.rows("items", items)])
        nodes = torch.cat([users, step.space.item_nodes(items)])
        return info_nce(self.mlp(step.embeddings.at(nodes).mixed), vectors, self.temperature)


def _mlp(width_in: int, width_out: int) -> nn.Sequential:
    """Two layers with LeakyReLU, Xavier weights, as wide between as the mean of their ends."""
    first, last = nn.Linear(width_in, hidden := (width_in + width_out) // 2), nn.Linear(hidden, width_out)
    for layer in (first, last):
        nn.init.xavier_uniform_(layer.weight)
    return nn.Sequential(first, nn.LeakyReLU(), last)


def _check(temperature: float) -> None:
    if temperature <= 0:
        raise InputError(f"rlmrec.temperature={temperature} must be > 0.")
