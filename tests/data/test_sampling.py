import numpy as np
import pytest
import torch
from hypothesis import given
from scipy.stats import chisquare

from graftrec.data.dataset import Dataset
from graftrec.data.interactions import Interactions
from graftrec.data.sampling import EachPair, NegativeSampler, Positives, UniformUsers
from graftrec.errors import InputError
from tests.data.build import PAIRS, interactions, pairs_of

DEGREES = [8, 4, 2, 1, 0]  # of items 0 to 4, the users of each being 0, 1, ...
SKEWED = interactions(
    sorted((user, item) for item, degree in enumerate(DEGREES) for user in range(degree)), num_users=9, num_items=5
)
Pairs = list[tuple[int, int]]


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(pairs=PAIRS)
def test_contains_is_membership_in_the_set_of_pairs(pairs: Pairs) -> None:
    positives = Positives(interactions(pairs))
    found = positives.contains(torch.arange(8)[:, None], torch.arange(10)[None, :])
    assert {tuple(cell) for cell in found.nonzero().tolist()} == set(pairs)


@given(pairs=PAIRS)
def test_rows_of_lists_the_items_of_each_user(pairs: Pairs) -> None:
    users = [3, 0, 3, 7]
    position, item = Positives(interactions(pairs)).rows_of(torch.tensor(users))
    expected = [(place, item) for place, user in enumerate(users) for owner, item in pairs if owner == user]
    assert list(zip(position.tolist(), item.tolist(), strict=True)) == expected


def test_each_pair_shows_every_row_once_in_another_order() -> None:
    positives = Positives(SKEWED)
    rows = EachPair().rows(positives, generator()).tolist()
    assert sorted(rows) == list(range(len(positives)))
    assert rows != sorted(rows)


UNEVEN = interactions([(0, 0), (2, 0), (2, 1), (2, 2), (2, 3), (3, 0), (3, 4)], num_users=5, num_items=5)
SHARE_OF_ROW = np.array([1, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 2, 1 / 2]) / 3  # users 0, 2, 3 alike, and their items


def test_uniform_users_draws_users_alike_and_then_their_items() -> None:
    positives = Positives(UNEVEN)
    seed = generator()
    observed = sum(np.bincount(UniformUsers().rows(positives, seed), minlength=7) for _ in range(3_000))
    assert observed.sum() == 3_000 * len(UNEVEN)
    assert chisquare(observed, observed.sum() * SHARE_OF_ROW).pvalue > 1e-3


def test_how_often_an_epoch_shows_an_item_by_hand() -> None:
    train = interactions([(0, 0), (2, 0), (2, 1), (3, 0), (3, 4), (3, 5)], num_users=5, num_items=6)
    assert Positives(train).item_draws.tolist() == [3, 1, 0, 0, 1, 1]
    # Six pairs, so two for each of three users: 2 + 1 + 2/3 of item 0.
    shown = Positives(train, sampler=UniformUsers()).item_draws
    torch.testing.assert_close(shown, torch.tensor([11 / 3, 1, 0, 0, 2 / 3, 2 / 3]))


@pytest.mark.parametrize("exponent", [0.0, 0.75, 1.0])
def test_no_negative_is_a_training_positive_where_these_are_rejected(exponent: float, synthetic: Dataset) -> None:
    positives = Positives(synthetic.train)
    sampler = NegativeSampler(exponent, per_positive=8)
    negatives = sampler.for_pairs(positives, positives.users, generator())
    drawn = {
        (user, item) for user, row in zip(positives.users.tolist(), negatives.tolist(), strict=True) for item in row
    }
    assert drawn.isdisjoint(pairs_of(synthetic.train))


def test_training_positives_are_drawn_where_these_are_not_rejected() -> None:
    sampler = NegativeSampler(per_positive=50, reject_positives=False)
    negatives = sampler.for_pairs(Positives(SKEWED), torch.tensor([0]), generator())
    assert set(negatives.flatten().tolist()) == {0, 1, 2, 3, 4}


def test_a_negative_exponent_prefers_rare_items_and_leaves_out_those_without_pairs() -> None:
    sampler = NegativeSampler(-1.0, per_positive=6_000, reject_positives=False)
    drawn = np.bincount(sampler.for_pairs(Positives(SKEWED), torch.tensor([0]), generator())[0], minlength=5)
    assert drawn[4] == 0
    assert chisquare(drawn[:4], 6_000 * np.array([1, 2, 4, 8]) / 15).pvalue > 1e-3


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_the_one_negative_of_a_user_is_found_however_rare(exponent: float) -> None:
    others = [(user, 0) for user in range(1, 2_000)]
    train = interactions(sorted([*((0, item) for item in range(999)), *others, (1, 999)]), 2_000, 1_000)
    negatives = NegativeSampler(exponent, per_positive=3).for_pairs(Positives(train), torch.tensor([0, 0]), generator())
    assert negatives.tolist() == [[999] * 3] * 2


def test_rare_negatives_are_drawn_by_their_chances() -> None:
    pairs = [(0, item) for item in range(98)] + [(user, 98) for user in range(1, 4)] + [(4, 99)]
    crowd = [(user, item) for user in range(5, 60) for item in range(98)]
    positives = Positives(interactions(sorted(pairs + crowd), num_users=60, num_items=100))
    sampler = NegativeSampler(1.0, per_positive=4_000)
    drawn = np.bincount(sampler.for_pairs(positives, torch.tensor([0]), generator())[0], minlength=100)[98:]
    assert chisquare(drawn, np.array([3_000, 1_000])).pvalue > 1e-3


@pytest.mark.parametrize("setting", ["per_positive", "shared"])
def test_a_number_of_negatives_below_zero_is_refused(setting: str) -> None:
    with pytest.raises(InputError, match=f"negatives.{setting}=-1 must be >= 0"):
        NegativeSampler(**{setting: -1})


def test_negatives_have_one_row_a_pair() -> None:
    sampler = NegativeSampler(per_positive=3)
    assert sampler.for_pairs(Positives(SKEWED), torch.tensor([1, 2, 8, 8]), generator()).shape == (4, 3)


def test_validation_and_test_pairs_are_drawn_as_negatives() -> None:
    train = interactions([(0, 0)], num_users=1, num_items=4)  # items 1 and 2 may be held out: nobody tells the sampler
    negatives = NegativeSampler(per_positive=100).for_pairs(Positives(train), torch.tensor([0]), generator())
    assert set(negatives.flatten().tolist()) == {1, 2, 3}


@pytest.mark.parametrize("exponent", [0.5, 0.75, 1.0, 2.0])
def test_popularity_draws_are_proportional_to_the_power_of_the_degree(exponent: float) -> None:
    draws = NegativeSampler(exponent).draw(Positives(SKEWED), (20_000,), generator())
    weights = np.array(DEGREES[:4], dtype=float) ** exponent
    observed = np.bincount(draws, minlength=4)
    assert chisquare(observed, 20_000 * weights / weights.sum()).pvalue > 1e-3


def test_popularity_never_draws_items_without_training_users() -> None:
    draws = NegativeSampler(exponent=0.1).draw(Positives(SKEWED), (20_000,), generator())
    assert 4 not in draws


def test_uniform_draws_are_uniform() -> None:
    draws = NegativeSampler().draw(Positives(SKEWED), (20_000,), generator())
    assert chisquare(np.bincount(draws, minlength=5)).pvalue > 1e-3


def test_rejection_leaves_the_remaining_items_uniform() -> None:
    negatives = NegativeSampler(per_positive=20_000).for_pairs(Positives(SKEWED), torch.tensor([2]), generator())
    observed = np.bincount(negatives.flatten(), minlength=5)
    assert chisquare(observed[[2, 3, 4]]).pvalue > 1e-3


def test_the_same_generator_seed_draws_the_same_negatives() -> None:
    users = torch.arange(1, 9)
    first, second = (NegativeSampler().for_pairs(Positives(SKEWED), users, generator(5)) for _ in range(2))
    assert torch.equal(first, second)


FULL = interactions([(0, 0), (0, 1), (1, 0)], num_users=2, num_items=2)
NEARLY_FULL = interactions([(0, 0), (0, 1), (1, 0)], num_users=2, num_items=3)


@pytest.mark.parametrize(
    ("train", "exponent"),
    [(FULL, 0.0), (FULL, 1.0), (NEARLY_FULL, 1.0)],
    ids=["uniform", "popularity", "only unpopular"],
)
def test_a_user_without_any_negative_is_refused(train: Interactions, exponent: float) -> None:
    message = "User number 0 has all 2 drawable items in training: no negative exists; set negatives.reject_positives"
    with pytest.raises(InputError, match=message):
        NegativeSampler(exponent).check(Positives(train))


@pytest.mark.parametrize(
    ("train", "sampler"),
    [
        (NEARLY_FULL, NegativeSampler()),
        (FULL, NegativeSampler(reject_positives=False)),
        (FULL, NegativeSampler(per_positive=0, shared=5)),
    ],
    ids=["one item left", "positives allowed", "only shared negatives"],
)
def test_drawable_negatives_are_accepted(train: Interactions, sampler: NegativeSampler) -> None:
    sampler.check(Positives(train))
