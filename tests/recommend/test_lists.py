"""Lists of many users, whichever way their scores are found."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from graftrec.baselines.base import TrainingData
from graftrec.baselines.gfcf import GFCF
from graftrec.baselines.item_knn import ItemKNN
from graftrec.baselines.popularity import Popularity, SameForAll
from graftrec.nn.heads import DotHead
from graftrec.recommend import lists
from graftrec.recommend.interest import PairScorer
from graftrec.recommend.lists import recommend, users_at_once
from graftrec.recommend.prefilter import Prefilter
from graftrec.scoring import FactorScorer, Scorer
from tests.recommend.vectors import KINDS, full_sort, normal
from tests.small_data import from_matrix, random_matrix

RNG = np.random.default_rng(0)
USERS = 300
SEEN = sp.csr_matrix(random_matrix(USERS, 700, 0.1, 1).astype(np.float32))
TRAIN = TrainingData(from_matrix(SEEN.toarray()))
SCORERS: dict[str, Scorer] = {
    "popularity": Popularity().fit(TRAIN),
    "item-kNN": ItemKNN(neighbours=5, shrinkage=0.0).fit(TRAIN),
    "GF-CF": GFCF(rank=8, weight=0.3).fit(TRAIN),
    "interest": PairScorer(DotHead(), normal(RNG, USERS), normal(RNG, 700)),
    "factors": FactorScorer(normal(RNG, USERS), normal(RNG, 700)),
}


class Unscored(FactorScorer):
    """Has factors alone."""

    def scores(self, users: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        raise AssertionError("the whole catalogue is scored")


def oracle(scorer: Scorer, users: torch.Tensor, seen: sp.csr_matrix, k: int) -> list[list[int]]:
    """A full sort of each user's unseen items."""
    scores = scorer.scores(users).numpy().copy()
    return full_sort(np.where(seen[users.numpy()].toarray() > 0, -np.inf, scores), k)


@pytest.fixture
def prefilter_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "is_worthwhile", lambda *_: True)


@pytest.mark.parametrize("name", SCORERS)
def test_lists_of_every_scorer_are_those_of_a_full_sort(name: str) -> None:
    users = torch.from_numpy(RNG.permutation(USERS)[:100])
    assert recommend(SCORERS[name], users, SEEN, 7).tolist() == oracle(SCORERS[name], users, SEEN, 7)


@pytest.mark.usefixtures("prefilter_everything")
@pytest.mark.parametrize("num_items", [3, 100, 3000])
@pytest.mark.parametrize("kind", KINDS)
def test_prefiltered_lists_are_those_of_a_full_sort(kind: str, num_items: int) -> None:
    rng = np.random.default_rng(0)
    scorer = FactorScorer(normal(rng, 80), KINDS[kind](rng, num_items))
    seen = sp.csr_matrix(random_matrix(80, num_items, 0.1, 1).astype(np.float32))
    assert recommend(scorer, torch.arange(80), seen, 3).tolist() == oracle(scorer, torch.arange(80), seen, 3)


@pytest.mark.usefixtures("prefilter_everything")
@pytest.mark.parametrize("left", [0, 1, 4])
def test_prefiltered_list_ends_where_no_unseen_item_is_left(left: int) -> None:
    seen = np.ones((2, 700), dtype=np.float32)
    seen[:, 100 : 100 + left] = 0
    users = torch.arange(2)
    found = recommend(SCORERS["factors"], users, sp.csr_matrix(seen), 3)
    assert (found >= 0).sum(1).tolist() == [min(left, 3)] * 2


@pytest.mark.usefixtures("prefilter_everything")
def test_separated_vectors_need_no_scores_of_the_whole_catalogue() -> None:
    rng = np.random.default_rng(0)
    scorer, seen = Unscored(normal(rng, 100), normal(rng, 5000)), sp.csr_matrix((100, 5000), dtype=np.float32)
    assert recommend(scorer, torch.arange(100), seen, 5).shape == (100, 5)


@pytest.mark.usefixtures("prefilter_everything")
def test_prefilter_stops_where_little_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, Prefilter, "bounds")
    monkeypatch.setattr(lists, "users_at_once", lambda *_: 10)
    scorer = FactorScorer(torch.ones(USERS, 2), torch.ones(700, 2))
    recommend(scorer, torch.arange(USERS), SEEN, 3)
    assert len(calls) == 1


def test_a_few_users_are_ranked_without_a_prefilter(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, Prefilter, "__init__")
    recommend(FactorScorer(torch.ones(2, 1), torch.rand(20_000, 1)), torch.arange(2), sp.csr_matrix((2, 20_000)), 3)
    assert not calls


def test_blocks_are_scored_into_one_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "users_at_once", lambda *_: 30)
    buffers: list[int] = []

    class Watched(SameForAll):
        def scores(self, users: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
            scores = super().scores(users, out)
            buffers.append(scores.data_ptr())
            return scores

    recommend(Watched(torch.rand(700)), torch.arange(100), SEEN, 3)
    assert (len(buffers), len(set(buffers))) == (4, 1)


@pytest.mark.parametrize(("num_items", "users"), [(1, 2**22), (2**16, 64), (10**9, 32)])
def test_fewer_users_of_a_larger_catalogue_are_scored_at_once(num_items: int, users: int) -> None:
    assert users_at_once(num_items) == users


def test_no_users_have_no_lists() -> None:
    assert recommend(SCORERS["factors"], torch.arange(0), SEEN, 3).shape == (0, 3)


def counted(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[None]:
    """One entry a call of the method."""
    calls: list[None] = []
    method: Callable[..., Any] = getattr(owner, name)

    def called(*arguments: Any, **named: Any) -> Any:
        calls.append(None)
        return method(*arguments, **named)

    monkeypatch.setattr(owner, name, called)
    return calls
