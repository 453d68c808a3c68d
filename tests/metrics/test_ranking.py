from dataclasses import dataclass
from math import log2

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric import metrics as pyg

from graftrec.metrics.ranking import RankingMetrics, RankingResult
from tests.small_data import from_matrix, random_matrix

NAMES = ["recall", "precision", "f1", "ndcg", "hit_rate", "map", "mrr"]


@dataclass
class Case:
    """Held-out pairs, and for every user with any a list that may be short."""

    held_out: np.ndarray  # bool [U, I]
    users: np.ndarray  # [B]
    lists: np.ndarray  # [B, max k], -1 at the end of a short list
    k: list[int]

    def result(self, block_size: int | None = None) -> RankingResult:
        """What the collector makes of the lists, given in blocks."""
        metrics = RankingMetrics(from_matrix(self.held_out), self.k)
        step = block_size or len(self.users)
        for start in range(0, len(self.users), step):
            block = slice(start, start + step)
            metrics.update(torch.from_numpy(self.users[block]), torch.from_numpy(self.lists[block]))
        return metrics.compute()

    def naive(self) -> list[dict[str, float]]:
        """All metrics of each user, one after the other."""
        pairs = zip(self.users, self.lists.tolist(), strict=True)
        return [naive_values(set(np.flatnonzero(self.held_out[user])), row, self.k) for user, row in pairs]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    num_items = draw(st.integers(2, 12))
    seed = draw(st.integers(0, 2**32 - 1))
    held_out = random_matrix(draw(st.integers(1, 8)), num_items, draw(st.sampled_from([0.1, 0.4, 0.9])), seed)
    held_out[0, seed % num_items] = True
    users = np.flatnonzero(held_out.any(1))
    k = draw(st.lists(st.integers(1, num_items), min_size=1, max_size=4, unique=True))
    generator = np.random.default_rng(seed)
    lists = np.array([generator.permutation(num_items) for _ in users])
    lengths = generator.integers(0, 2 * num_items, size=(len(users), 1))  # about half of the lists are whole
    return Case(held_out, users, np.where(np.arange(num_items) < lengths, lists, -1)[:, : max(k)], k)


def naive_values(relevant: set[int], listed: list[int], k: list[int]) -> dict[str, float]:
    """Every metric of one user, by its definition."""
    return {f"{name}@{n}": value for n in k for name, value in naive_values_at(relevant, listed[:n], n).items()}


def naive_values_at(relevant: set[int], listed: list[int], k: int) -> dict[str, float]:
    ranks = [rank for rank, item in enumerate(listed, start=1) if item in relevant]
    recall, precision = len(ranks) / len(relevant), len(ranks) / k
    best = min(k, len(relevant))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, best + 1))
    return {
        "recall": recall,
        "precision": precision,
        "f1": 2 * recall * precision / (recall + precision) if ranks else 0.0,
        "ndcg": sum(1 / log2(rank + 1) for rank in ranks) / ideal,
        "hit_rate": 1.0 if ranks else 0.0,
        "map": sum(hits / rank for hits, rank in enumerate(ranks, start=1)) / best,
        "mrr": 1 / ranks[0] if ranks else 0.0,
    }


@settings(max_examples=40)
@given(case=cases())
def test_each_users_values_are_the_naive_ones(case: Case) -> None:
    per_user = case.result().per_user
    for row, naive in zip(per_user.to_dicts(), case.naive(), strict=True):
        assert {name: row[name] for name in naive} == pytest.approx(naive, abs=1e-6)


@settings(max_examples=40)
@given(case=cases())
def test_values_are_means_over_users(case: Case) -> None:
    values, naive = case.result().values, case.naive()
    means = {name: float(np.mean([user[name] for user in naive])) for name in naive[0]}
    assert {name: values[name] for name in means} == pytest.approx(means, abs=1e-6)


@settings(max_examples=40)
@given(case=cases())
def test_f1_of_means_is_that_of_mean_precision_and_mean_recall(case: Case) -> None:
    values, naive = case.result().values, case.naive()
    for k in case.k:
        precision, recall = (np.mean([user[f"{name}@{k}"] for user in naive]) for name in ("precision", "recall"))
        expected = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        assert values[f"f1_of_means@{k}"] == pytest.approx(expected, abs=1e-6)


@settings(max_examples=40)
@given(case=cases())
def test_coverage_is_the_share_of_items_in_any_list(case: Case) -> None:
    values = case.result().values
    for k in case.k:
        listed = set(case.lists[:, :k].flatten().tolist()) - {-1}
        assert values[f"coverage@{k}"] == pytest.approx(len(listed) / case.held_out.shape[1])


@settings(max_examples=40)
@given(case=cases(), block_size=st.integers(1, 8))
def test_values_do_not_depend_on_the_blocks(case: Case, block_size: int) -> None:
    assert case.result(block_size).values == case.result().values


@settings(max_examples=40)
@given(case=cases())
def test_means_are_those_of_pyg(case: Case) -> None:
    classes = [pyg.LinkPredRecall, pyg.LinkPredPrecision, pyg.LinkPredF1, pyg.LinkPredNDCG]
    classes += [pyg.LinkPredHitRatio, pyg.LinkPredMAP, pyg.LinkPredMRR]
    named = {f"{name}@{k}": metric(k) for k in case.k for name, metric in zip(NAMES, classes, strict=True)}
    collection = pyg.LinkPredMetricCollection(named)
    lists = torch.from_numpy(np.where(case.lists < 0, case.held_out.shape[1], case.lists))
    collection.update(lists, torch.from_numpy(np.stack(np.nonzero(case.held_out[case.users]))))
    values = case.result().values
    expected = {name: value.item() for name, value in collection.compute().items()}
    assert {name: values[name] for name in named} == pytest.approx(expected, abs=1e-6)


HELD_OUT = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0]], dtype=bool)
LISTS = np.array([[3, 1, 0], [2, 0, 3]])
BY_HAND = {
    "recall@3": 0.5,  # (2/2 + 0) / 2
    "precision@3": 1 / 3,  # (2/3 + 0) / 2
    "f1@3": 0.4,  # (4/5 + 0) / 2
    "ndcg@3": 0.4598603945,  # (1 + 1/2) / (1 + 1/log2(3)) / 2
    "hit_rate@3": 0.5,
    "map@3": 5 / 12,  # (1 + 2/3) / 2 / 2
    "mrr@3": 0.5,
    "f1_of_means@3": 0.4,  # 2 * 1/3 * 1/2 / (1/3 + 1/2)
    "coverage@3": 0.8,  # all items but the last
    "recall@1": 0.25,
    "precision@1": 0.5,
    "f1@1": 1 / 3,
    "ndcg@1": 0.5,
    "hit_rate@1": 0.5,
    "map@1": 0.5,
    "mrr@1": 0.5,
    "f1_of_means@1": 1 / 3,  # 2 * 1/2 * 1/4 / (1/2 + 1/4)
    "coverage@1": 0.4,
    "num_users": 2.0,
}


def test_values_by_hand() -> None:
    values = Case(HELD_OUT, np.array([0, 1]), LISTS, [3, 1]).result().values
    assert values == pytest.approx(BY_HAND, abs=1e-6)


def test_per_user_table_is_sorted_and_counts_the_relevant_items() -> None:
    per_user = Case(HELD_OUT, np.array([1, 0]), LISTS[::-1].copy(), [3]).result().per_user
    assert (per_user["user"].to_list(), per_user["num_relevant"].to_list()) == ([0, 1], [2, 1])


def test_repeated_lengths_are_counted_once() -> None:
    once, twice = (Case(HELD_OUT, np.array([0, 1]), LISTS, k).result().values for k in ([3], [3, 3]))
    assert once == twice
