"""Pointwise logistic loss."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.errors import InputError
from graftrec.objectives.step import Step, Term


@dataclass(frozen=True)
class BCE(Term):
    """Mean of -ln sigmoid(s_ui) over pairs and of -ln(1 - sigmoid(s_uj)) over their negatives, each counted once.

    He et al. (NCF, WWW 2017), eq. 7. Needs ``negatives.per_positive`` >= 1.
    """

    negatives: ClassVar[str | None] = "per_positive"

    def __call__(self, step: Step) -> Tensor:
        if step.batch.negatives.numel() == 0:
            raise InputError("bce has no negatives: set negatives.per_positive >= 1.")
        rows = step.rows
        candidates = torch.cat([rows.items[:, None], rows.negatives], dim=1)
        scores = (rows.users[:, None] * candidates).sum(-1)  # [B, 1 + per_positive]
        labels = torch.zeros_like(scores)
        labels[:, 0] = 1
        return F.binary_cross_entropy_with_logits(scores, labels)
