"""Sampled pairs: what may never happen, what must always hold, and how items are distributed."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.dataset import Dataset
from graftrec.data.pairs import NEGATIVES, draw_unknown, matched_tickets, sample_pairs
from graftrec.errors import InputError
from tests.small_data import from_matrix, small_dataset

LETTERS = np.array(list("tve--"))


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Small data sets with at least one pair in every part."""
    shape = draw(st.integers(2, 8)), draw(st.integers(3, 9))
    cells = LETTERS[np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(5, size=shape)]
    cells[0, :3] = list("tve")
    return small_dataset(cells.tolist())


def known_keys(dataset: Dataset) -> set[int]:
    """Every pair of every part."""
    return {int(key) for part in (dataset.train, dataset.valid, dataset.test) for key in part.keys}


@given(datasets(), st.sampled_from(["valid", "test"]), st.sampled_from(NEGATIVES), st.integers(0, 99))
def test_properties(dataset: Dataset, part: str, negatives: str, seed: int) -> None:
    held_out = getattr(dataset, part)
    try:
        pairs = sample_pairs(dataset, part, negatives, seed)
    except InputError:
        assert drawable_users(dataset, part, negatives).isdisjoint(held_out.user)
        return
    half = len(pairs) // 2
    assert pairs.label.tolist() == [1] * half + [0] * half
    assert pairs.user[:half].tolist() == pairs.user[half:].tolist()
    keys = (pairs.user * dataset.num_items + pairs.item).tolist()
    assert not known_keys(dataset) & set(keys[half:])
    drawable = drawable_users(dataset, part, negatives)
    expected = [key for key, user in zip(held_out.keys, held_out.user, strict=True) if user in drawable]
    assert keys[:half] == expected
    again = sample_pairs(dataset, part, negatives, seed)
    assert (again.item == pairs.item).all()


def drawable_users(dataset: Dataset, part: str, negatives: str) -> set[int]:
    """Users with an unknown item, for matched negatives one that the part holds."""
    known = dataset.seen("all").toarray() > 0
    held = getattr(dataset, part).item_degree > 0
    wanted = held if negatives == "popularity_matched" else np.ones(dataset.num_items, dtype=bool)
    return {user for user in range(dataset.num_users) if (wanted & ~known[user]).any()}


def test_a_user_who_knows_everything_is_left_out() -> None:
    pairs = sample_pairs(small_dataset([["t", "v", "e", "e"], ["t", "v", "e", "-"]]), "test", "uniform", 0)
    assert (pairs.user.tolist(), pairs.item.tolist(), pairs.label.tolist()) == ([1, 1], [2, 3], [1, 0])


def test_no_negative_at_all_is_refused() -> None:
    with pytest.raises(InputError, match=r"No test pair of small has a uniform negative.*larger catalogue"):
        sample_pairs(small_dataset([["t", "v", "e"]]), "test", "uniform", 0)


def test_seed_and_part_change_the_draw(synthetic: Dataset) -> None:
    drawn = [sample_pairs(synthetic, "test", "uniform", seed).item for seed in (0, 1)]
    assert (drawn[0] != drawn[1]).any()


def test_draws_follow_the_tickets_of_unknown_items() -> None:
    known = sp.csr_matrix(np.array([[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 0, 1], [1, 1, 1, 1, 1]]))
    tickets = np.array([1, 5, 2, 0, 3])
    users = np.repeat(np.arange(4), 60_000)
    drawn = draw_unknown(known, users, tickets, np.random.default_rng(0)).reshape(4, -1)
    shares = [np.bincount(row[row >= 0], minlength=5) / 60_000 for row in drawn]
    np.testing.assert_allclose(shares[0], np.array([1, 0, 2, 0, 3]) / 6, atol=0.01)
    np.testing.assert_allclose(shares[1], tickets / 11, atol=0.01)
    assert (drawn[2:] == -1).all()  # the only unknown item has no ticket; nothing is unknown


def skewed() -> Dataset:
    """Active users know the popular items: 400 users x 80 items, an item's chance falls with its number."""
    rng = np.random.default_rng(0)
    chance = np.outer(rng.uniform(0.1, 1, 400), 0.9 / (1 + np.arange(80)) ** 0.7)
    cells = np.where(rng.random(chance.shape) < chance, LETTERS[rng.integers(3, size=chance.shape)], "-")
    return small_dataset(cells.tolist())


def test_matched_negatives_are_as_popular_as_the_positives() -> None:
    dataset = skewed()
    degree = dataset.train.item_degree
    popularity = {}
    for negatives in NEGATIVES:
        pairs = sample_pairs(dataset, "test", negatives, 0)
        popularity[negatives] = degree[pairs.item[pairs.label == 0]].mean()
    positives = degree[dataset.test.item].mean()
    assert popularity["popularity_matched"] == pytest.approx(positives, rel=0.05)
    assert popularity["uniform"] < 0.6 * positives


def test_matched_tickets_give_every_item_its_expected_count() -> None:
    dataset = skewed()
    known, held_out = dataset.seen("all"), dataset.test
    tickets = matched_tickets(held_out, known).astype(float)
    free = tickets * (known.toarray() == 0)  # [U, I]
    expected = held_out.user_degree @ (free / free.sum(1, keepdims=True))
    np.testing.assert_allclose(expected, held_out.item_degree, rtol=1e-3, atol=1e-3)


def test_an_item_that_everybody_knows_gets_no_ticket() -> None:
    held_out = from_matrix(np.array([[1, 1, 0], [1, 0, 0]]))
    known = sp.csr_matrix(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    tickets = matched_tickets(held_out, known)
    assert (tickets > 0).tolist() == [False, True, False]
