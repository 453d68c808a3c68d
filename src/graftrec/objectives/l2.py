"""The L2 penalty."""

from dataclasses import dataclass

import torch
from torch import Tensor

from graftrec.errors import check_choice
from graftrec.objectives.step import Step, Term


@dataclass(frozen=True)
class L2(Term):
    """1/2 * sum |z|^2 / B over the rows of the batch's users, positives and negatives.

    ``of``: ``input`` rows of x0 (LightGCN's code) or ``propagated`` embeddings (Cornac). ``squared=false``
    adds sqrt(sum |z|^2) of users, of positives and of negatives, over B (RecBole's default). ``of=all``: 1/2 * sum
    |x0|^2 over all nodes, not over B (RLMRec's code, which has no 1/2: give twice its weight). All negatives of a pair
    count, though BPR takes their mean, or the hardest alone: with more of them the penalty grows.
    """

    of: str = "input"
    squared: bool = True

    def __post_init__(self) -> None:
        check_choice("l2.of", self.of, ("input", "propagated", "all"))

    @property
    def whole_batch(self) -> str:
        return "" if self.squared or self.of == "all" else "set squared=true"

    def __call__(self, step: Step) -> Tensor:
        if self.of == "all":
            return self._norm(step.start.x0)
        rows = step.input_rows if self.of == "input" else step.rows
        parts = [rows.users, rows.items, *([rows.negatives] if rows.negatives.numel() else [])]
        return torch.stack([self._norm(part) for part in parts]).sum() / len(step.batch.users)

    def _norm(self, rows: Tensor) -> Tensor:
        return rows.pow(2).sum() / 2 if self.squared else rows.norm()
