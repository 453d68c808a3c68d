from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.errors import InputError
from graftrec.features.profiles.prompts import Prompts, latest_items
from tests.small_data import from_matrix, random_matrix

ITEMS = pl.DataFrame({"title": ["red chair", "蓝色的灯", None, "garden hose"], "year": ["1999", None, None, "2001"]})
PROMPTS = Prompts(item="Describe {title} of {year}.", user="Likes:\n{items}\nWho?", item_line="{title}")
TRAIN = from_matrix(np.array([[1, 1, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]]))


def test_an_item_is_asked_about_by_its_columns() -> None:
    expected = ["Describe red chair of 1999.", "Describe 蓝色的灯 of .", None, "Describe garden hose of 2001."]
    assert PROMPTS.of_items(ITEMS) == expected


def test_text_is_all_columns_cut_at_the_limit_and_other_braces_stay() -> None:
    prompts = replace(PROMPTS, item='{text} -> {"profile": "..."}', max_characters=11)
    assert prompts.of_items(ITEMS)[3] == 'garden hose -> {"profile": "..."}'


def test_a_user_is_asked_about_by_training_items_without_those_that_have_no_text() -> None:
    train = replace(TRAIN, time=np.array([3.0, 9.0, 5.0, 1.0, 1.0]))
    asked = PROMPTS.of_users(train, ITEMS, None)
    assert asked == ["Likes:\n- 蓝色的灯\n- garden hose\n- red chair\nWho?", None, "Likes:\n- red chair\nWho?"]


def test_a_user_s_own_text_may_stand_beside_the_items() -> None:
    users = pl.DataFrame({"age": ["old", "young", None]})
    prompts = replace(PROMPTS, user="{age}: {items}", max_items=1)
    assert prompts.of_users(replace(TRAIN, order=np.arange(5.0)), ITEMS, users) == [
        "old: - garden hose",
        "young: ",
        ": - red chair",
    ]


@pytest.mark.parametrize(
    ("template", "message"),
    [("{titel}", r"prompts.item has the unknown field \{titel\}; known are \{title\}, "), ("Who?", "names no field")],
)
def test_a_template_without_known_fields_is_refused(template: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(PROMPTS, item=template).of_items(ITEMS)


@given(seed=st.integers(0, 1000), most=st.integers(1, 6), timed=st.booleans())
def test_latest_items_are_those_of_a_naive_loop(seed: int, most: int, timed: bool) -> None:
    train = from_matrix(random_matrix(5, 6, 0.5, seed))
    train = replace(train, time=np.random.default_rng(seed).permutation(len(train)).astype(float)) if timed else train
    for user, chosen in enumerate(latest_items(train, most)):
        own = np.flatnonzero(train.user == user)
        if timed:
            own = sorted(own, key=lambda row: -train.time[row])  # type: ignore[index]
            assert chosen.tolist() == [train.item[row] for row in own[:most]]
        assert len(chosen) == min(most, len(own))
        assert set(chosen) <= set(train.item[own])
