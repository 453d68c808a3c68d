"""Sampled softmax over in-batch and shared negatives."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.errors import InputError, check_choice
from graftrec.objectives.step import Step

SIMILARITIES = ("cosine", "dot")


@dataclass(frozen=True)
class SampledSoftmax:
    """-ln softmax of s(u, i) / temperature against candidate items, mean over the batch.

    Candidates are the batch's own items if ``in_batch``, and the ``negatives.shared`` sampled items.
    ``similarity``: ``cosine`` (InfoNCE; Wu et al., TOIS 2023) or ``dot``. ``log_q`` subtracts that multiple of
    ln(training degree) from in-batch candidates, whose chance to be drawn is their popularity
    (1: the full correction of Bengio & Senecal 2008; Yi et al., RecSys 2019). ``mask_positives`` takes
    training positives of a user out of the candidates.
    """

    temperature: float = 0.1
    similarity: str = "cosine"
    in_batch: bool = True
    log_q: float = 0.0
    mask_positives: bool = True

    def __post_init__(self) -> None:
        check_choice("softmax.similarity", self.similarity, SIMILARITIES)
        if self.temperature <= 0:
            raise InputError(f"softmax.temperature={self.temperature} must be > 0.")

    def __call__(self, step: Step) -> Tensor:
        batch = step.batch
        candidates = torch.cat([batch.items, batch.shared]) if self.in_batch else batch.shared
        if len(candidates) == 0:
            raise InputError("softmax has no candidates: set negatives.shared > 0 or softmax.in_batch=true.")
        users, items = step.users, step.embeddings.items
        if self.similarity == "cosine":
            users, items = F.normalize(users, dim=-1), F.normalize(items, dim=-1)
        users = users / self.temperature
        positive = (users * items.index_select(0, batch.items)).sum(-1)  # [B]
        logits = users @ items.index_select(0, candidates).T  # [B, C]
        if self.log_q:
            correction = self.log_q * step.positives.item_degree.clamp(min=1).log()
            positive = positive - correction[batch.items]
            if self.in_batch:
                logits -= F.pad(correction[batch.items], (0, len(batch.shared)))
        logits.masked_fill_(self._hidden(step, candidates), -torch.inf)
        others = torch.logsumexp(logits, dim=1)
        return (torch.logaddexp(positive, others) - positive).mean()

    def _hidden(self, step: Step, candidates: Tensor) -> Tensor:
        """Candidates [B, C] that are no negatives: the positive itself, or any training positive."""
        hidden = step.batch.items[:, None] == candidates
        if self.mask_positives:
            hidden[positive_columns(step, candidates)] = True
        return hidden


def positive_columns(step: Step, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """(row in the batch, column in ``candidates``) of every training positive among the candidates.

    Walks the users' own items, not the B x C grid: each looks up its range in the sorted candidates.
    """
    rows, items = step.positives.rows_of(step.batch.users)
    ordered, column = torch.sort(candidates)
    first = torch.searchsorted(ordered, items)
    count = torch.searchsorted(ordered, items, right=True) - first
    offset = torch.arange(int(count.sum()), device=count.device) - torch.repeat_interleave(count.cumsum(0) - count, count)
    return torch.repeat_interleave(rows, count), column[torch.repeat_interleave(first, count) + offset]
