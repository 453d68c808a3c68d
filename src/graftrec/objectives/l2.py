"""The L2 penalty."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from graftrec.errors import check_choice
from graftrec.objectives.step import Step


@dataclass(frozen=True)
class L2:
    """1/2 * sum |z|^2 / B over the rows of the batch's users, positives and negatives.

    ``of``: ``input`` rows of x0 (LightGCN's code) or ``propagated`` embeddings (Cornac). ``squared=false``
    adds sqrt(sum |z|^2) of users, of positives and of negatives, over B (RecBole's default).
    """

    negatives: ClassVar[str | None] = None

    of: str = "input"
    squared: bool = True

    def __post_init__(self) -> None:
        check_choice("l2.of", self.of, ("input", "propagated"))

    def __call__(self, step: Step) -> Tensor:
        batch, embeddings = step.batch, step.embeddings
        users, items = step.space.split(embeddings.x0) if self.of == "input" else (embeddings.users, embeddings.items)
        total = self._norm(users.index_select(0, batch.users)) + self._norm(items.index_select(0, batch.items))
        if batch.negatives.numel():
            total = total + self._norm(items.index_select(0, batch.negatives.reshape(-1)))
        return total / len(batch.users)

    def _norm(self, rows: Tensor) -> Tensor:
        return rows.pow(2).sum() / 2 if self.squared else rows.norm()
