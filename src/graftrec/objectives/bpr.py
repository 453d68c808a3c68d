"""Bayesian personalised ranking."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from graftrec.errors import InputError, check_choice
from graftrec.objectives.step import Step, Term


@dataclass(frozen=True)
class BPR(Term):
    """softplus(s_uj - s_ui) = -ln sigmoid(s_ui - s_uj) over pairs and their negatives (Rendle et al., UAI 2009).

    ``reduction``: ``mean`` (LightGCN's code) or ``sum`` over all [B, per_positive] comparisons. Needs
    ``negatives.per_positive`` >= 1. ``hardest`` compares with the best scored of a pair's negatives alone
    (dynamic sampling: Zhang et al., SIGIR 2013).
    """

    negatives: ClassVar[str | None] = "per_positive"

    reduction: str = "mean"
    hardest: bool = False

    def __post_init__(self) -> None:
        check_choice("bpr.reduction", self.reduction, ("mean", "sum"))

    @property
    def whole_batch(self) -> str:
        return "" if self.reduction == "mean" else "set reduction=mean"

    def __call__(self, step: Step) -> Tensor:
        if step.batch.negatives.numel() == 0:
            raise InputError("bpr has no negatives: set negatives.per_positive >= 1.")
        if self.hardest and step.batch.negatives.shape[1] < 2:
            raise InputError("bpr.hardest=true has nothing to choose from: set negatives.per_positive >= 2.")
        rows = step.rows
        positive = (rows.users * rows.items).sum(-1, keepdim=True)  # [B, 1]
        negative = (rows.users[:, None] * rows.negatives).sum(-1)  # [B, per_positive]
        if self.hardest:
            negative = negative.amax(-1, keepdim=True)
        losses = F.softplus(negative - positive)
        return losses.mean() if self.reduction == "mean" else losses.sum()
