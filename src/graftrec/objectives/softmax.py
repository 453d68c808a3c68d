"""Sampled softmax over in-batch and shared negatives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from graftrec.data.sampling import Positives
from graftrec.errors import InputError, check_choice
from graftrec.objectives.step import Step

SIMILARITIES = ("cosine", "dot")
BUFFER: Final = 2**18  # logits at once: 1 MiB
Hidden = Callable[[slice], Tensor]  # rows of the batch to boolean [rows, C]


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
        if self.log_q and self.in_batch:
            own = self.log_q * step.positives.item_degree[batch.items].clamp(min=1).log()
            positive, correction = positive - own, F.pad(own, (0, len(batch.shared)))
        return _MeanCrossEntropy.apply(users, positive, others, correction, self._hidden(step, candidates))

    def _hidden(self, step: Step, candidates: Tensor) -> Hidden:
        """Candidates that are no negatives: the positive itself, or any training positive."""
        if not self.mask_positives:
            return lambda rows: step.batch.items[rows, None] == candidates
        users, row = step.batch.users.unique(return_inverse=True)
        hidden = torch.zeros(len(users), len(candidates), dtype=torch.bool, device=users.device)
        hidden[positive_columns(step.positives, users, candidates)] = True
        return lambda rows: hidden.index_select(0, row[rows])


class _MeanCrossEntropy(torch.autograd.Function):
    """Mean over b of -p_b + ln(exp p_b + sum_c exp(<u_b, v_c> - q_c)), hidden candidates left out.

    ``users`` u [B, d], ``positive`` p [B], ``candidates`` v [C, d], ``correction`` q [C] or None. The logits are
    made in blocks of rows in one buffer that fits the cache, and become gradients there: with the softmax
    P_bc, du = P v / B, dv = P^T u / B and dp = (P_b,positive - 1) / B. Nothing of size [B, C] lives.
    """

    @staticmethod
    def forward(
        ctx: Any, users: Tensor, positive: Tensor, candidates: Tensor, correction: Tensor | None, hidden: Hidden
    ) -> Tensor:
        size = max(1, BUFFER // len(candidates))
        buffer = users.new_empty(min(size, len(users)), len(candidates))
        loss = torch.empty_like(positive)
        by_user, by_positive, by_candidate = map(torch.zeros_like, (users, positive, candidates))
        for start in range(0, len(users), size):
            rows = slice(start, start + size)
            own, score = users[rows], positive[rows]
            logits = torch.mm(own, candidates.T, out=buffer[: len(own)])
            if correction is not None:
                logits -= correction
            logits.masked_fill_(hidden(rows), -torch.inf)
            largest = torch.maximum(logits.amax(1), score)
            weights = logits.sub_(largest[:, None]).exp_()
            own_weight = (score - largest).exp()
            total = weights.sum(1) + own_weight
            loss[rows] = total.log() + largest - score
            by_user[rows] = torch.mm(weights, candidates) / total[:, None]
            by_candidate.addmm_(weights.T, own / total[:, None])
            by_positive[rows] = own_weight / total - 1
        ctx.save_for_backward(by_user, by_positive, by_candidate)
        return loss.mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        scale = gradient / len(ctx.saved_tensors[1])
        return *(scale * saved for saved in ctx.saved_tensors), None, None


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
