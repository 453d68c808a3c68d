from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.prepare import aggregate
from graftrec.data.sources.synthetic import SyntheticSource
from graftrec.data.splits.base import Split
from graftrec.data.splits.given import GivenSplit
from graftrec.data.splits.leave_last_out import LeaveLastOut
from graftrec.data.splits.random import RandomSplit
from graftrec.data.splits.temporal import TemporalSplit
from graftrec.errors import InputError
from tests.data.build import FrameSource, pairs_of
from tests.small_data import prepare

CORE = Filter(min_user=5, min_item=3)
SYNTHETIC = SyntheticSource(
    name="synthetic", item_text=["title"], num_users=40, num_items=30, num_interactions=900, num_groups=3
)
ROWS = SYNTHETIC.read().interactions
REPEATED = pl.DataFrame(
    {
        "user": [1, 1, 2, 1],
        "item": [5, 5, 5, 5],
        "weight": [2.0, 3.0, 1.0, -1.0],
        "time": [30.0, 10.0, 20.0, 20.0],
        "order": [0.0, 4.0, 1.0, 2.0],
        "behaviour": ["view", "buy", "view", "view"],
    }
)
THREE_ITEMS = pl.concat(REPEATED.with_columns(item=pl.lit(item, pl.Int64)) for item in (5, 6, 7))


def one_to_ten(part: list[int] | None = None) -> pl.DataFrame:
    """One user with items 1 to 10 at times 1 to 10."""
    frame = pl.DataFrame({"user": [1] * 10, "item": range(1, 11), "time": [float(time) for time in range(1, 11)]})
    return frame if part is None else frame.with_columns(part=pl.Series(part, dtype=pl.Int8))


def parts_of(dataset: Dataset) -> list[list[tuple[int, int]]]:
    return [pairs_of(part) for part in (dataset.train, dataset.valid, dataset.test)]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("count", [3, 1]),
        ("weight", [4.0, 1.0]),
        ("time", [30.0, 20.0]),
        ("order", [4.0, 1.0]),
        ("behaviour:view", [2, 1]),
        ("behaviour:buy", [1, 0]),
    ],
)
def test_repeated_rows_become_one_pair(column: str, expected: list[float]) -> None:
    assert aggregate(REPEATED).sort("user")[column].to_list() == expected


def test_aggregation_makes_no_columns_that_the_rows_have_not() -> None:
    assert aggregate(REPEATED.select("user", "item")).columns == ["user", "item", "count"]


@pytest.mark.parametrize(("parts", "expected"), [([2, 0, 1], 0), ([2, 1, 2], 1), ([2, 2, 2], 2)])
def test_a_pair_stays_in_the_first_of_its_parts(parts: list[int], expected: int) -> None:
    rows = pl.DataFrame({"user": [1, 1, 1], "item": [1, 1, 1], "part": parts})
    assert aggregate(rows)["part"].to_list() == [expected]


def test_the_dataset_keeps_what_is_known_of_each_pair() -> None:
    train = prepare(FrameSource(frame=THREE_ITEMS), Filter(), LeaveLastOut()).train
    columns = (train.count, train.weight, train.time, train.order)
    assert [column.tolist() for column in columns] == [[3, 1], [4.0, 1.0], [30.0, 20.0], [4.0, 1.0]]


def test_the_dataset_counts_behaviours_in_the_order_of_their_names() -> None:
    train = prepare(FrameSource(frame=THREE_ITEMS), Filter(), LeaveLastOut()).train
    assert (train.behaviours, train.behaviour.tolist()) == (("buy", "view"), [[1, 2], [0, 1]])


def test_pairs_ascend_in_every_part() -> None:
    dataset = prepare(SYNTHETIC, CORE, RandomSplit())
    assert all(pairs == sorted(set(pairs)) for pairs in parts_of(dataset))


@pytest.mark.parametrize("split", [RandomSplit(), TemporalSplit(), LeaveLastOut()], ids=lambda split: split.id)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_dataset_does_not_depend_on_the_order_of_rows(split: Split, order: int) -> None:
    shuffled = ROWS.sample(fraction=1.0, shuffle=True, seed=order)
    first, second = (prepare(FrameSource(frame=rows), CORE, split) for rows in (ROWS, shuffled))
    assert first.hash == second.hash


def test_split_seed_changes_the_split() -> None:
    first, second = (prepare(replace(SYNTHETIC, split_seed=seed), CORE, RandomSplit()) for seed in (0, 1))
    assert parts_of(first) != parts_of(second)


def test_split_seed_keeps_users_and_items() -> None:
    first, second = (prepare(replace(SYNTHETIC, split_seed=seed), CORE, RandomSplit()) for seed in (0, 1))
    assert (first.users.hash, first.items.hash) == (second.users.hash, second.items.hash)


def test_the_default_split_seed_is_zero() -> None:
    assert (
        prepare(replace(SYNTHETIC, split_seed=0), CORE, RandomSplit()).hash
        == prepare(SYNTHETIC, CORE, RandomSplit()).hash
    )


@pytest.mark.parametrize("changed", ["protocol", "name", "text", "global seed"])
def test_nothing_but_split_seed_changes_the_split(changed: str) -> None:
    source = replace(SYNTHETIC, name="other") if changed == "name" else SYNTHETIC
    source = replace(source, item_text=[]) if changed == "text" else source
    if changed == "global seed":
        np.random.seed(123)
    protocol = "paper" if changed == "protocol" else "clean"
    assert prepare(source, CORE, RandomSplit(), protocol).hash == prepare(SYNTHETIC, CORE, RandomSplit()).hash


@pytest.mark.parametrize(
    ("name", "filter", "split", "seed", "expected"),
    [
        ("movielens_small", CORE, RandomSplit(), 0, "movielens_small/random-5core"),
        ("movielens_small", CORE, RandomSplit(), 3, "movielens_small/random-5core-seed3"),
        ("online_retail", CORE, TemporalSplit(), 0, "online_retail/temporal-5core"),
        ("table", Filter(), LeaveLastOut(), 0, "table/leave_last_out"),
        ("table", Filter(min_user=2), RandomSplit(0.1, 0.1), 0, "table/random80_10_10-u2i0"),
        ("table", Filter(), TemporalSplit(0.2, 0.3), 0, "table/temporal_0.2_0.3"),
    ],
)
def test_id_names_source_split_filter_and_seed(
    name: str, filter: Filter, split: Split, seed: int, expected: str
) -> None:
    source = FrameSource(name=name, frame=ROWS, split_seed=seed)
    assert prepare(source, filter, split).id == expected


@pytest.mark.parametrize(
    ("protocol", "part", "split", "expected"),
    [
        ("clean", [0] * 8 + [2] * 2, GivenSplit("lightgcn"), "gowalla/lightgcn-valid10"),
        ("clean", [0] * 8 + [2] * 2, GivenSplit(valid=0.25), "gowalla/given-valid25"),
        ("paper", [0] * 8 + [2] * 2, GivenSplit("lightgcn"), "gowalla/lightgcn"),
        ("clean", [0] * 7 + [1] + [2] * 2, GivenSplit(), "gowalla/given"),
    ],
)
def test_id_says_what_the_protocol_made_of_given_files(
    protocol: str, part: list[int], split: Split, expected: str
) -> None:
    source = FrameSource(name="gowalla", frame=one_to_ten(part))
    assert prepare(source, Filter(), split, protocol).id == expected


def test_counts_say_what_was_kept_and_dropped() -> None:
    rows = pl.concat([one_to_ten(), one_to_ten().head(3), pl.DataFrame({"user": [2], "item": [1], "time": [11.0]})])
    counts = prepare(FrameSource(frame=rows), Filter(min_user=5), RandomSplit()).counts
    assert counts == {
        "rows": 14,
        "pairs": 11,
        "repeated rows": 3,
        "rows outside rating or time": 0,
        "pairs below the k-core": 1,
    }


def test_counts_have_what_the_split_dropped() -> None:
    early = one_to_ten().with_columns(pl.lit(2, pl.Int64).alias("user"), pl.col("time") / 20)
    latecomer = pl.DataFrame({"user": [3], "item": [1], "time": [12.0]})
    counts = prepare(FrameSource(frame=pl.concat([one_to_ten(), early, latecomer])), Filter(), TemporalSplit()).counts
    assert counts["held out of users without training"] == 1


def test_item_text_follows_the_numbering_and_is_null_where_the_table_has_no_row() -> None:
    items = pl.DataFrame({"item": [99, *range(10, 1, -1)], "title": [f"title {n}" for n in (99, *range(10, 1, -1))]})
    dataset = prepare(FrameSource(frame=one_to_ten(), items=items, item_text=["title"]), Filter(), RandomSplit())
    assert dataset.item_text["title"].to_list() == [None, *(f"title {n}" for n in range(2, 11))]


def test_item_text_is_found_where_only_one_table_has_integer_ids() -> None:
    items = pl.DataFrame({"item": ["2", "i17"], "title": ["two", "seventeen"]})
    dataset = prepare(FrameSource(frame=one_to_ten(), items=items, item_text=["title"]), Filter(), RandomSplit())
    assert dataset.item_text["title"].to_list() == [None, "two", *[None] * 8]


def test_a_text_column_that_the_table_has_not_is_refused() -> None:
    items = pl.DataFrame({"item": [1], "title": ["one"]})
    source = FrameSource(frame=one_to_ten(), items=items, item_text=["titel"])
    with pytest.raises(InputError, match=r"data.item_text names 'titel', but the item table has \['item', 'title'\]"):
        prepare(source, Filter(), RandomSplit())


def test_a_filter_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"min_user=11.* leaves none of 10 pairs of data=frame; loosen the filter"):
        prepare(FrameSource(frame=one_to_ten()), Filter(min_user=11), RandomSplit())


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(InputError, match="protocol='dirty' is unknown; choose one of clean, paper"):
        prepare(SYNTHETIC, CORE, RandomSplit(), "dirty")
