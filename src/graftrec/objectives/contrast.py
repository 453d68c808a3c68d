"""Contrast of two views of the same nodes."""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from graftrec.errors import InputError, check_choice
from graftrec.graph.views import EpochDrop, Noise, View
from graftrec.objectives.cross_entropy import info_nce
from graftrec.objectives.step import Step, Term


@dataclass(frozen=True, kw_only=True)
class Contrast(Term):
    """InfoNCE of users plus InfoNCE of items, each a mean over those in the batch's pairs.

    A node's vector in the first view shall be nearer (cosine / ``temperature``) to its own in the second
    than to those of the other nodes in the batch (``against=batch``, SELFRec's code) or of all (``all``,
    SGL's and RLMRec's; but items that a split holds out whole). A node in several pairs counts once, or with
    ``repeats`` once a pair (RLMRec's code). Subclasses give the views.
    """

    temperature: float = 0.2
    against: str = "batch"
    repeats: bool = False

    def __post_init__(self) -> None:
        check_choice("against", self.against, ("batch", "all"))
        if self.temperature <= 0:
            raise InputError(f"temperature={self.temperature} of a contrast must be > 0.")
        if self.repeats and self.against == "batch":
            raise InputError(
                "A contrast with repeats=true needs against=all: a repeated node would be its own negative."
            )

    @property
    def whole_batch(self) -> str:
        return "set its weight to 0"

    def __call__(self, step: Step) -> Tensor:
        first, second = (step.space.split(nodes) for nodes in self.nodes(step))
        users = self._of_kind(step.batch.users, first[0], second[0], None)
        return users + self._of_kind(step.batch.items, first[1], second[1], step.positives.drawable)

    def nodes(self, step: Step) -> tuple[Tensor, Tensor]:
        """The two views of all nodes, [N, d] each."""
        raise NotImplementedError

    def _of_kind(self, numbers: Tensor, first: Tensor, second: Tensor, known: Tensor | None) -> Tensor:
        """``known``: the nodes that training may see, ascending; None: all."""
        numbers = numbers if self.repeats else numbers.unique()
        queries = first.index_select(0, numbers)
        if self.against == "batch":
            return info_nce(queries, second.index_select(0, numbers), self.temperature)
        if known is None:
            return info_nce(queries, second, self.temperature, numbers)
        own = torch.searchsorted(known, numbers)
        return info_nce(queries, second.index_select(0, known), self.temperature, own)


@dataclass(frozen=True, kw_only=True)
class SGL(Contrast):
    """Two graphs, drawn once an epoch, that lack some edges or nodes (Wu et al., SIGIR 2021, eq. 10).

    ``drop``: ``edge`` or ``node``, each with probability ``rate``. The paper's sums are means here.
    """

    passes: ClassVar[int] = 2
    graphs: ClassVar[int] = 2

    drop: str = "edge"
    rate: float = 0.1
    views: tuple[View, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "views", tuple(EpochDrop(self.drop, self.rate, number) for number in (1, 2)))

    def nodes(self, step: Step) -> tuple[Tensor, Tensor]:
        first, second = (step.view(view).nodes for view in self.views)
        return first, second


@dataclass(frozen=True, kw_only=True)
class SimGCL(Contrast):
    """Two passes with noise of length ``epsilon`` on every layer (Yu et al., SIGIR 2022, eq. 5-8).

    The authors leave the input out of the mix: ``encoder.mix=mean_without_input``.
    """

    passes: ClassVar[int] = 2

    epsilon: float = 0.1

    def nodes(self, step: Step) -> tuple[Tensor, Tensor]:
        view = Noise(self.epsilon)
        return step.view(view).nodes, step.view(view).nodes


@dataclass(frozen=True, kw_only=True)
class XSimGCL(Contrast):
    """The result against layer ``layer`` of the shared pass (Yu et al., TKDE 2023, eq. 9).

    The noise is a view of the shared pass: ``objective.views`` has ``graph.views.Noise``. The authors leave
    the input out of the mix: ``encoder.mix=mean_without_input``.
    """

    whole: ClassVar[bool] = True

    layer: int = 1

    def nodes(self, step: Step) -> tuple[Tensor, Tensor]:
        layers, nodes = step.embeddings.layers, step.embeddings.nodes
        if not 0 <= self.layer < len(layers):
            raise InputError(f"xsimgcl.layer={self.layer}, but the encoder's layers are 0 to {len(layers) - 1}.")
        return nodes, layers[self.layer].to(nodes.dtype)
