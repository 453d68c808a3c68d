from math import inf

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from graftrec.errors import InputError
from graftrec.recommend.blend import blend
from graftrec.recommend.lists import recommend
from graftrec.scoring import FactorScorer, Scorer
from tests.recommend.vectors import full_sort
from tests.small_data import random_matrix

NUM_USERS, NUM_ITEMS = 50, 30
SEEN = sp.csr_matrix(random_matrix(NUM_USERS, NUM_ITEMS, 0.2, 1).astype(np.float32))
NOTHING = sp.csr_matrix((1, 3), dtype=np.float32)
USERS = torch.arange(NUM_USERS)


def scorer(scores: list[list[float]]) -> FactorScorer:
    """Scores as they stand here."""
    return FactorScorer(torch.tensor(scores), torch.eye(len(scores[0])))


def drawn(seed: int, scale: float) -> FactorScorer:
    """Scores [50, 30] around 3, with equal ones among them."""
    scores = np.random.default_rng(seed).normal(3, scale, (NUM_USERS, NUM_ITEMS)).round(1)
    return scorer(scores.tolist())


FIRST, SECOND = drawn(0, 1.0), drawn(1, 20.0)


def naive(member: Scorer, user: int, method: str) -> dict[int, float]:
    """What each unseen item is worth by its formula, one at a time."""
    scores = member.scores(torch.tensor([user]))[0].double().tolist()
    unseen = {item: scores[item] for item in range(NUM_ITEMS) if SEEN[user, item] == 0}
    if method == "weighted":
        mean, deviation = np.mean(list(unseen.values())), np.std(list(unseen.values()))
        return {item: (score - mean) / deviation for item, score in unseen.items()}
    order = sorted(unseen, key=lambda item: (-unseen[item], item))
    return {item: 1 / (60 + rank) for rank, item in enumerate(order, start=1)}


@pytest.mark.parametrize("method", ["weighted", "reciprocal_rank"])
def test_scores_are_those_of_the_formula(method: str) -> None:
    scores = blend((FIRST, SECOND), 0.3, method, SEEN).scores(USERS)
    for user in range(NUM_USERS):
        first, second = naive(FIRST, user, method), naive(SECOND, user, method)
        expected = [0.3 * first[item] + 0.7 * second[item] if item in first else -inf for item in range(NUM_ITEMS)]
        assert scores[user].tolist() == pytest.approx(expected, abs=1e-5 if method == "weighted" else 1e-8)


def test_weighted_by_hand() -> None:
    members = (scorer([[1.0, 2.0, 3.0]]), scorer([[0.0, 0.0, 30.0]]))
    scores = blend(members, 0.5, "weighted", NOTHING).scores(torch.tensor([0]))
    assert scores[0].tolist() == pytest.approx([-0.965926, -0.353553, 1.319479], abs=1e-5)


def test_reciprocal_ranks_by_hand() -> None:
    members = (scorer([[5.0, 9.0, 5.0]]), scorer([[1.0, 2.0, 3.0]]))
    scores = blend(members, 0.5, "reciprocal_rank", NOTHING).scores(torch.tensor([0]))
    by_hand = [(1 / 62 + 1 / 63) / 2, (1 / 61 + 1 / 62) / 2, (1 / 63 + 1 / 61) / 2]
    assert scores[0].tolist() == pytest.approx(by_hand, abs=1e-8)


@pytest.mark.parametrize("method", ["weighted", "reciprocal_rank"])
@pytest.mark.parametrize(("weight", "member"), [(1.0, FIRST), (0.0, SECOND)])
def test_all_weight_on_one_member_gives_its_lists(method: str, weight: float, member: Scorer) -> None:
    lists = recommend(blend((FIRST, SECOND), weight, method, SEEN), USERS, SEEN, 10)
    expected = full_sort(np.where(SEEN.toarray() > 0, -inf, member.scores(USERS).numpy()), 10)
    assert lists.tolist() == expected


def test_a_member_that_scores_all_items_alike_changes_no_list() -> None:
    flat = scorer([[7.0] * NUM_ITEMS] * NUM_USERS)
    lists = recommend(blend((FIRST, flat), 0.5, "weighted", SEEN), USERS, SEEN, 10)
    assert torch.equal(lists, recommend(FIRST, USERS, SEEN, 10))


@pytest.mark.parametrize("method", ["weighted", "reciprocal_rank"])
def test_scores_do_not_depend_on_the_block_and_are_written_in_place(method: str) -> None:
    blended, out = blend((FIRST, SECOND), 0.3, method, SEEN), torch.empty(4, NUM_ITEMS)
    returned = blended.scores(torch.tensor([7, 3, 7, 0]), out=out)
    assert returned.data_ptr() == out.data_ptr()
    assert torch.equal(out, blended.scores(USERS)[[7, 3, 7, 0]])


@pytest.mark.parametrize(
    ("weight", "method", "message"),
    [(1.5, "weighted", r"must be a number in \[0, 1\]; given: 1\.5"), (0.5, "sum", "method='sum'")],
)
def test_bad_settings_are_refused(weight: float, method: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        blend((FIRST, SECOND), weight, method, SEEN)
