from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import chisquare

from graftrec.data.sources.synthetic import THEMES, SyntheticSource
from graftrec.errors import InputError

SOURCE = SyntheticSource(name="synthetic", num_users=40, num_items=30, num_interactions=20_000, num_groups=4)
RAW = SOURCE.read()


@pytest.mark.parametrize(("loyalty", "expected"), [(0.8, 0.85), (0.0, 0.25), (1.0, 1.0)])
def test_interactions_stay_in_the_group_with_loyalty(loyalty: float, expected: float) -> None:
    rows = replace(SOURCE, loyalty=loyalty).read().interactions
    inside = (rows["user"] % 4 == rows["item"] % 4).mean()
    assert inside == pytest.approx(expected, abs=0.015)  # the standard error is at most 0.0031


def test_items_of_a_group_are_drawn_by_their_skewed_weight() -> None:
    items = RAW.interactions["item"].to_numpy()
    drawn = np.bincount(items[items % 4 == 1] // 4, minlength=8)
    weights = 1 / np.sqrt(1 + np.arange(8))
    assert chisquare(drawn, drawn.sum() * weights / weights.sum()).pvalue > 1e-3


def test_every_item_can_be_drawn_and_none_lies_outside() -> None:
    assert set(RAW.interactions["item"].to_list()) == set(range(30))


def test_titles_name_the_group() -> None:
    themes = [title.split()[0] for title in RAW.items["title"]]
    assert themes == [THEMES[item % 4] for item in range(30)]


def test_titles_differ() -> None:
    assert RAW.items["title"].is_unique().all()


def test_profiles_name_the_group() -> None:
    assert RAW.users["profile"].to_list() == [f"likes {THEMES[user % 4]}" for user in range(40)]


def test_there_are_as_many_rows_as_asked_for() -> None:
    assert len(RAW.interactions) == 20_000


def test_the_same_seed_gives_the_same_tables() -> None:
    assert SOURCE.read().interactions.equals(RAW.interactions)


def test_another_seed_gives_other_interactions() -> None:
    assert not replace(SOURCE, seed=1).read().interactions.equals(RAW.interactions)


def test_the_split_seed_does_not_change_the_tables() -> None:
    assert replace(SOURCE, split_seed=1).read().interactions.equals(RAW.interactions)


def test_ids_are_integers() -> None:
    assert RAW.interactions.schema == {"user": pl.Int64, "item": pl.Int64, "time": pl.Float64}


@pytest.mark.parametrize(("num_groups", "num_items", "most"), [(0, 500, 20), (21, 500, 20), (6, 5, 5)])
def test_an_impossible_number_of_groups_is_refused(num_groups: int, num_items: int, most: int) -> None:
    with pytest.raises(InputError, match=rf"data.num_groups={num_groups} must lie in 1..{most}"):
        SyntheticSource(name="synthetic", num_groups=num_groups, num_items=num_items)
