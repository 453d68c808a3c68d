"""Full-ranking metrics from recommended lists, per user and on average."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from torch import Tensor

from graftrec.data.interactions import Interactions
from graftrec.metrics.beyond_accuracy import BeyondAccuracy


@dataclass(frozen=True, eq=False)
class RankingResult:
    """``values``: means over users with held-out items, such as ``recall@20``; coverage is one value for all.

    ``per_user``: user (number), num_relevant, and one Float32 column a metric. ``item_hits[k]``: how
    often each item was a hit, int64 [num_items].
    """

    values: dict[str, float]
    per_user: pl.DataFrame
    item_hits: dict[int, np.ndarray]


class RankingMetrics:
    """Collects lists block by block. Definitions are those of PyG's ``LinkPred*`` metrics.

    recall = hits / |R|; precision = hits / k; f1 per user; ndcg with gains 1 / log2(rank + 1), ideal over
    min(k, |R|); map over min(k, |R|); mrr = 1 / rank of the first hit; hit_rate = any hit;
    ``f1_of_means`` from mean precision and mean recall; coverage = share of items in any list.
    """

    def __init__(self, held_out: Interactions, k: Sequence[int], beyond: BeyondAccuracy | None = None) -> None:
        from torch_geometric import metrics as pyg

        classes = {
            "recall": pyg.LinkPredRecall,
            "precision": pyg.LinkPredPrecision,
            "f1": pyg.LinkPredF1,
            "ndcg": pyg.LinkPredNDCG,
            "hit_rate": pyg.LinkPredHitRatio,
            "map": pyg.LinkPredMAP,
            "mrr": pyg.LinkPredMRR,
        }
        self.k = sorted(set(k))
        self.held_out = held_out
        self.metrics = {f"{name}@{n}": metric(n) for n in self.k for name, metric in classes.items()}
        self.in_lists = torch.zeros(len(self.k), held_out.num_items + 1, dtype=torch.bool)
        self.item_hits = torch.zeros(len(self.k), held_out.num_items + 1, dtype=torch.int64)
        self.beyond = beyond
        self.blocks: list[pl.DataFrame] = []

    def update(self, users: Tensor, lists: Tensor) -> None:
        """Add the lists [B, max k] of ``users`` [B]: item numbers, best first, -1 where a list is short."""
        from torch_geometric.metrics.link_pred import LinkPredMetricData

        lists = lists.cpu()
        if self.beyond is not None:
            self.beyond.update(lists)
        lists = torch.where(lists < 0, self.held_out.num_items, lists)  # an item that nobody holds
        relevant = self.held_out.matrix[users.cpu().numpy()]
        row = torch.from_numpy(np.repeat(np.arange(len(users)), np.diff(relevant.indptr)))
        data = LinkPredMetricData(lists, (row, torch.from_numpy(relevant.indices.astype(np.int64))))
        columns = {name: metric._compute(data).float().numpy() for name, metric in self.metrics.items()}
        self.blocks.append(
            pl.DataFrame({"user": users.cpu().numpy(), "num_relevant": data.label_count.numpy(), **columns})
        )
        for index, k in enumerate(self.k):
            self.in_lists[index, lists[:, :k].flatten()] = True
            hits = lists[:, :k][data.pred_rel_mat[:, :k]]
            self.item_hits[index] += torch.bincount(hits, minlength=self.item_hits.shape[1])

    def compute(self) -> RankingResult:
        """Means in double precision over all users added so far."""
        per_user = pl.concat(self.blocks).sort("user")
        values = {name: float(per_user[name].cast(pl.Float64).mean()) for name in self.metrics}  # type: ignore[arg-type]
        for index, k in enumerate(self.k):
            precision, recall = values[f"precision@{k}"], values[f"recall@{k}"]
            total = precision + recall
            values[f"f1_of_means@{k}"] = 2 * precision * recall / total if total else 0.0
            values[f"coverage@{k}"] = self.in_lists[index, :-1].double().mean().item()
        values.update({} if self.beyond is None else self.beyond.compute())
        values["num_users"] = float(len(per_user))
        item_hits = {k: hits[:-1].numpy() for k, hits in zip(self.k, self.item_hits, strict=True)}
        return RankingResult(values, per_user, item_hits)


class CandidateMetrics:
    """Two lists a user, side by side: among all items, and among the candidates that ``name`` says.

    The second one's values and per-user columns are named ``<name>/recall@20`` and so on.
    """

    def __init__(self, everything: RankingMetrics, candidates: RankingMetrics, name: str) -> None:
        self.everything = everything
        self.candidates = candidates
        self.name = name

    def update(self, users: Tensor, lists: Tensor) -> None:
        """Add the two lists [B, 2 max k] of ``users`` [B]."""
        for metrics, part in zip((self.everything, self.candidates), lists.chunk(2, dim=1), strict=True):
            metrics.update(users, part)

    def compute(self) -> RankingResult:
        """Both, hits of items from the lists of all items."""
        whole, among = self.everything.compute(), self.candidates.compute()
        shares_of_catalogue = {f"coverage@{k}" for k in self.candidates.k} | {"num_users"}
        named = {f"{self.name}/{key}": v for key, v in among.values.items() if key not in shares_of_catalogue}
        columns = among.per_user.select(pl.exclude("user", "num_relevant").name.prefix(f"{self.name}/"))
        return RankingResult({**whole.values, **named}, whole.per_user.hstack(columns), whole.item_hits)
