"""Is a user interested in an item? Labelled pairs, and how a model's answers are judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
import torch
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.data.pairs import NEGATIVES, LabelledPairs, sample_pairs
from graftrec.metrics.classification import best_threshold, binary_metrics, report, roc_auc
from graftrec.nn.heads import Head
from graftrec.scoring import check_finite

BLOCK: Final = 2**16  # pairs at once


class PairScorer:
    """Logits of ``head`` over user vectors [U, d] and item vectors [I, d]."""

    def __init__(self, head: Head, users: Tensor, items: Tensor) -> None:
        check_finite(users, items)
        self.head = head
        self.users = users.detach().float()
        self.items = items.detach().float()

    @torch.no_grad()
    def logits(self, pairs: LabelledPairs) -> Tensor:
        """float32 [n], on the CPU."""
        users, items = (torch.from_numpy(a).to(self.users.device).split(BLOCK) for a in (pairs.user, pairs.item))
        blocks = [self.head(self.users[u], self.items[i]).cpu() for u, i in zip(users, items, strict=True)]
        return torch.cat(blocks)

    @torch.no_grad()
    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """Logits of the whole catalogue, float32 [B, I]: one user at a time, since a head may widen every pair."""
        vectors = self.users[users.to(self.users.device)]
        rows = [self.head(vector.expand_as(self.items), self.items) for vector in vectors]
        return torch.stack(rows, out=out)


@dataclass(frozen=True, eq=False)
class InterestTask:
    """Labelled pairs of one held-out part by kind of negatives; ``popularity`` [I] counts training users."""

    pairs: Mapping[str, LabelledPairs]
    popularity: Tensor
    num_held_out: int  # more than there are positives where some had no negative

    @classmethod
    def sample(cls, dataset: Dataset, part: str, seed: int) -> "InterestTask":
        """Both kinds of negatives for ``part`` (valid or test)."""
        pairs = {kind: sample_pairs(dataset, part, kind, seed) for kind in NEGATIVES}
        return cls(pairs, torch.from_numpy(dataset.train.item_degree), len(getattr(dataset, part)))

    def blocks(self) -> list[str]:
        """The kinds of negatives, judged one after another."""
        return list(self.pairs)

    def judge(self, scorer: PairScorer, kind: str, threshold: float | None = None) -> dict[str, float]:
        """Metrics on the pairs with ``kind`` of negatives; without a ``threshold``, the best one on these pairs."""
        logits, labels = scorer.logits(self.pairs[kind]), torch.from_numpy(self.pairs[kind].label)
        return binary_metrics(logits, labels, best_threshold(logits, labels) if threshold is None else threshold)

    def popularity_roc_auc(self, kind: str) -> float:
        """ROC-AUC of the rule that everybody is interested in what many have."""
        pairs = self.pairs[kind]
        return roc_auc(self.popularity[torch.from_numpy(pairs.item)], torch.from_numpy(pairs.label))


@dataclass(frozen=True, eq=False)
class InterestResult:
    """``values`` such as ``uniform/f1``; ``pairs``: negatives, user, item (numbers), label, probability."""

    values: dict[str, float]
    pairs: pl.DataFrame

    @property
    def report(self) -> str:
        """A classification report for each kind of negatives."""
        return "\n".join(
            f"negatives: {kind}, interest where P >= {(threshold := self.values[f'{kind}/threshold']):.4f}\n"
            f"{report(rows['probability'].to_numpy(), rows['label'].to_numpy(), threshold)}"
            for (kind,), rows in self.pairs.group_by("negatives", maintain_order=True)
        )


def judge(scorer: PairScorer, validation: InterestTask, test: InterestTask) -> dict[str, InterestResult]:
    """Both parts, with the thresholds that validation chose: one for each kind of negatives."""
    chosen = {kind: validation.judge(scorer, kind)["threshold"] for kind in validation.pairs}
    return {part: _result(scorer, task, chosen) for part, task in (("test", test), ("valid", validation))}


def _result(scorer: PairScorer, task: InterestTask, thresholds: Mapping[str, float]) -> InterestResult:
    values: dict[str, float] = {}
    for kind, pairs in task.pairs.items():
        found = {
            **task.judge(scorer, kind, thresholds[kind]),
            "popularity_roc_auc": task.popularity_roc_auc(kind),
            "num_pairs": float(len(pairs)),
            "left_out": float(task.num_held_out - pairs.label.sum()),
        }
        values |= {f"{kind}/{name}": value for name, value in found.items()}
    frames = [
        pl.DataFrame(
            {
                "negatives": [kind] * len(pairs),
                "user": pairs.user,
                "item": pairs.item,
                "label": pairs.label,
                "probability": scorer.logits(pairs).double().sigmoid().numpy(),
            }
        )
        for kind, pairs in task.pairs.items()
    ]
    return InterestResult(values, pl.concat(frames))
