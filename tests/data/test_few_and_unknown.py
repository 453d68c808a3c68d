"""Texts of ids that no interaction has, and users with too few items to split."""

import polars as pl
import pytest

from graftrec.data.filters import Filter
from graftrec.data.splits.base import Split
from graftrec.data.splits.leave_last_out import LeaveLastOut
from graftrec.data.splits.random import RandomSplit
from graftrec.errors import InputError
from tests.data.build import FrameSource
from tests.data.test_prepare import one_to_ten
from tests.small_data import prepare


@pytest.mark.parametrize("ids", [["i99", "2", "i98", "i97"], [99, 2, 98, 97]])
def test_texts_of_unknown_ids_are_left_out_and_counted(ids: list) -> None:
    items = pl.DataFrame({"item": ids, "title": ["a", "two", "b", "c"]})
    dataset = prepare(FrameSource(frame=one_to_ten(), items=items, item_text=["title"]), Filter(), RandomSplit())
    assert dataset.item_text["title"].drop_nulls().to_list() == ["two"]
    assert dataset.counts["item texts of unknown ids"] == 3


def test_items_below_the_core_are_no_unknown_ids() -> None:
    items = pl.DataFrame({"item": range(1, 31), "title": [f"title {n}" for n in range(1, 31)]})
    rows = pl.concat([one_to_ten(), pl.DataFrame({"user": [2], "item": [30], "time": [1.0]})])
    source = FrameSource(frame=rows, items=items, item_text=["title"])
    assert prepare(source, Filter(min_user=5), RandomSplit()).counts["item texts of unknown ids"] == 19


def test_tables_that_write_their_ids_differently_are_refused() -> None:
    items = pl.DataFrame({"item": ["001", "002"], "title": ["one", "two"]})
    source = FrameSource(frame=one_to_ten(), items=items, item_text=["title"])
    message = r"None of the 2 item ids of the item table \(first: '001'\) is in the interactions \(such as 1\); write"
    with pytest.raises(InputError, match=message):
        prepare(source, Filter(), RandomSplit())


@pytest.mark.parametrize("split", [RandomSplit(), LeaveLastOut()], ids=lambda split: split.id)
def test_users_with_too_few_items_to_hold_out_are_refused(split: Split) -> None:
    rows = one_to_ten().with_columns(user=pl.Series(range(10)) // 2)  # two items a user
    message = r"no (valid|test) interactions left, and no user more than 2 in all parts .*bring more interactions"
    with pytest.raises(InputError, match=message):
        prepare(FrameSource(frame=rows), Filter(), split)
