"""Sampled softmax over in-batch and shared negatives."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.data.sampling import Positives
from graftrec.errors import InputError, check_choice
from graftrec.objectives.cross_entropy import Hide, mean_cross_entropy
from graftrec.objectives.step import Step, Term

SIMILARITIES = ("cosine", "dot")


@dataclass(frozen=True)
class SampledSoftmax(Term):
    """-ln softmax of s(u, i) / temperature against candidate items, mean over the batch.

    Candidates are the batch's own items if ``in_batch``, and the ``negatives.shared`` sampled items.
    ``similarity``: ``cosine`` (InfoNCE; Wu et al., TOIS 2023) or ``dot``. ``log_q`` subtracts that multiple of
    ln(times that an epoch shows an item, its training degree under positives=each_pair) from in-batch candidates,
    whose chance to be drawn that is (1, without shared ones: the full correction of Bengio & Senecal 2008; Yi et al.,
    RecSys 2019). ``mask_positives`` takes training positives of a user out of the candidates.
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
        if self.log_q and not self.in_batch:
            raise InputError(
                f"softmax.log_q={self.log_q} corrects candidates of the batch, and in_batch=false has none; "
                f"set in_batch=true or log_q=0."
            )

    @property
    def whole_batch(self) -> str:
        return "set in_batch=false and negatives.shared" if self.in_batch else ""

    def __call__(self, step: Step) -> Tensor:
        batch = step.batch
        candidates = torch.cat([batch.items, batch.shared]) if self.in_batch else batch.shared
        if len(candidates) == 0:
            raise InputError("softmax has no candidates: set negatives.shared > 0 or softmax.in_batch=true.")
        users, items, _, shared = step.rows
        others = torch.cat([items, shared]) if self.in_batch else shared
        if self.similarity == "cosine":
            users, items, others = (F.normalize(vectors, dim=-1) for vectors in (users, items, others))
        users = users / self.temperature
        positive = (users * items).sum(-1)  # [B]
        correction = None
        if self.log_q:
            own = (self.log_q * step.positives.item_draws[batch.items].log()).to(users.dtype)
            positive, correction = positive - own, F.pad(own, (0, len(batch.shared)))
        return mean_cross_entropy(users, positive, others, self._hide(step, candidates), correction)

    def _hide(self, step: Step, candidates: Tensor) -> Hide:
        """Candidates that are no negatives: the positive itself, or any training positive."""
        if self.mask_positives:
            return hide_positives(step, candidates)
        items = step.batch.items
        return lambda logits, rows: logits.masked_fill_(items[rows, None] == candidates, -torch.inf)


def hide_positives(step: Step, candidates: Tensor) -> Hide:
    """Those of ``candidates`` that are training positives of a row's user."""
    users, row = step.batch.users.unique(return_inverse=True)
    hidden = torch.zeros(len(users), len(candidates), dtype=torch.bool, device=users.device)
    hidden[positive_columns(step.positives, users, candidates)] = True
    return lambda logits, rows: logits.masked_fill_(hidden.index_select(0, row[rows]), -torch.inf)


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
