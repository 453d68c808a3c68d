"""The cosine contrastive loss."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from graftrec.errors import InputError
from graftrec.objectives.softmax import hide_positives
from graftrec.objectives.step import Step, Term


@dataclass(frozen=True)
class CosineContrastive(Term):
    """1 - cos(u, i) + ``negative_weight`` * mean_j max(0, cos(u, j) - ``margin``), mean over the batch.

    Mao et al. (SimpleX, CIKM 2021), eq. 4. j runs over the ``negatives.shared`` items, the same for the whole
    batch (the authors' code draws some for each pair), without the user's training positives.
    """

    negatives: ClassVar[str | None] = "shared"

    margin: float = 0.5
    negative_weight: float = 100.0

    def __post_init__(self) -> None:
        if not -1 <= self.margin <= 1:
            raise InputError(f"simplex.margin={self.margin} must lie in [-1, 1], the range of a cosine.")

    def __call__(self, step: Step) -> Tensor:
        candidates = step.batch.shared
        if len(candidates) == 0:
            raise InputError("simplex has no negatives: set negatives.shared > 0.")
        users, items, _, shared = (F.normalize(vectors, dim=-1) for vectors in step.rows)
        similarity = users @ shared.T  # [B, S]
        hide_positives(step, candidates)(similarity, slice(None))
        count = similarity.isfinite().sum(1).clamp(min=1)
        mean = F.relu(similarity - self.margin).sum(1) / count
        return (1 - (users * items).sum(-1) + self.negative_weight * mean).mean()
