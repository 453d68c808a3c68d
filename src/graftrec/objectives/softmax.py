"""Sampled softmax over in-batch and shared negatives."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.data.sampling import Positives
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

    negatives: ClassVar[str | None] = "shared"

    temperature: float = 0.15
    similarity: str = "cosine"
    in_batch: bool = False
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
        if self.log_q and self.in_batch:
            correction = self.log_q * step.positives.item_degree.clamp(min=1).log()[batch.items]
            positive = positive - correction
            logits -= F.pad(correction, (0, len(batch.shared)))
        logits.masked_fill_(self._hidden(step, candidates), -torch.inf)
        others = torch.logsumexp(logits, dim=1)
        return (torch.logaddexp(positive, others) - positive).mean()

    def _hidden(self, step: Step, candidates: Tensor) -> Tensor:
        """Candidates [B, C] that are no negatives: the positive itself, or any training positive."""
        if not self.mask_positives:
            return step.batch.items[:, None] == candidates
        users, row = step.batch.users.unique(return_inverse=True)
        hidden = torch.zeros(len(users), len(candidates), dtype=torch.bool, device=users.device)
        hidden[positive_columns(step.positives, users, candidates)] = True
        return hidden.index_select(0, row)


def positive_columns(positives: Positives, users: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """(row in ``users``, column in ``candidates``) of every training positive among the candidates.

    Walks the users' own items, not the users x candidates grid.
    """
    rows, items = positives.rows_of(users)
    count = torch.bincount(candidates, minlength=positives.num_items)  # columns that hold each item
    start = count.cumsum(0) - count
    columns = candidates.argsort(stable=True)  # grouped by item
    hits = count[items] > 0
    rows, items = rows[hits], items[hits]
    times = count[items]
    offset = torch.arange(int(times.sum()), device=times.device) - torch.repeat_interleave(
        times.cumsum(0) - times, times
    )
    return torch.repeat_interleave(rows, times), columns[torch.repeat_interleave(start[items], times) + offset]
