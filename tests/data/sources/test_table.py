import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from graftrec.data.filters import Filter
from graftrec.data.sources.base import RawData
from graftrec.data.sources.table import TableSource
from graftrec.data.splits.random import RandomSplit
from graftrec.errors import InputError
from tests.data.sources.conftest import Configured
from tests.small_data import prepare

CONFIGURED = {"user": "user", "item": "item", "weight": None, "time": None, "order": None, "behaviour": None}


def read(folder: Path, content: str, **columns: str | None) -> RawData:
    """Interactions of a csv file with ``content``, under ``columns`` beside user and item."""
    (folder / "log.csv").write_text(content)
    source = TableSource(name="mine", folder=str(folder), interactions="log.csv", columns={**CONFIGURED, **columns})
    return source.read()


def shop(folder: Path, **settings: object) -> TableSource:
    """A source with string item ids, a behaviour column, and item and user tables."""
    with gzip.open(folder / "log.tsv.gz", "wt") as file:
        file.write("customer\tsku\tact\tn\n1\tb7\tview\t1\n1\tb7\tbuy\t2\n2\ta1\tview\t1\n")
    (folder / "items.csv").write_text('sku,title,code\nb7,Lamp,007\na1,"Box, red",010\n')
    (folder / "users.csv").write_text("customer,country\n1,Chile\n2,Japan\n")
    columns = {"user": "customer", "item": "sku", "weight": "n", "behaviour": "act"}
    arguments = {
        "columns": columns,
        "items": "items.csv",
        "users": "users.csv",
        "item_text": ["title", "code"],
        "user_text": ["country"],
    }
    return TableSource(name="shop", folder=str(folder), interactions="log.tsv", **{**arguments, **settings})


def test_interactions_have_the_names_of_the_project(tmp_path: Path) -> None:
    assert shop(tmp_path).read().interactions.to_dicts()[1] == {
        "user": 1,
        "item": "b7",
        "weight": 2.0,
        "behaviour": "buy",
    }


def test_item_table_has_its_id_under_the_name_of_the_interactions(tmp_path: Path) -> None:
    assert shop(tmp_path).read().items.rows() == [("b7", "Lamp", "007"), ("a1", "Box, red", "010")]


def test_user_table_has_its_id_under_the_name_of_the_interactions(tmp_path: Path) -> None:
    assert shop(tmp_path).read().users.rows() == [(1, "Chile"), (2, "Japan")]


def test_tables_that_are_not_named_are_none(tmp_path: Path) -> None:
    raw = shop(tmp_path, items=None, users=None, item_text=[], user_text=[]).read()
    assert (raw.items, raw.users) == (None, None)


def test_columns_mapped_to_null_are_not_read(tmp_path: Path) -> None:
    assert read(tmp_path, "user,item,weight,time\n1,2,x,y\n").interactions.columns == ["user", "item"]


def test_numbers_become_floats(tmp_path: Path) -> None:
    raw = read(tmp_path, "user,item,qty,at,n\n1,2,3,4,5\n", weight="qty", time="at", order="n")
    assert raw.interactions.row(0) == (1, 2, 3.0, 4.0, 5.0)


def test_coded_behaviours_stay_as_written(tmp_path: Path) -> None:
    raw = read(tmp_path, "user,item,act\n1,2,01\n1,3,2\n", behaviour="act")
    assert raw.interactions["behaviour"].to_list() == ["01", "2"]


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (datetime(1970, 1, 2, 0, 0, 1, 500_000), 86_401.5),
        (datetime(1970, 1, 2, tzinfo=UTC), 86_400.0),
        (date(1970, 1, 2), 86_400.0),
    ],
)
def test_dates_of_parquet_become_seconds(tmp_path: Path, time: date, seconds: float) -> None:
    pl.DataFrame({"user": [1], "item": [2], "time": [time]}).write_parquet(tmp_path / "log.parquet")
    columns = {"user": "user", "item": "item", "time": "time"}
    raw = TableSource(name="mine", folder=str(tmp_path), interactions="log.parquet", columns=columns).read()
    assert raw.interactions["time"].to_list() == [seconds]


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("user,item,w\n1,2,high\n", {"weight": "w"}, "the weight column holds String values such as 'high'"),
        ("user,item,w\n1,2,3\n1,3,low\n", {"weight": "w"}, "the weight column holds String values such as 'low'"),
        ("user,item,t\n1,2,2020-01-01\n", {"time": "t"}, "expected numbers of seconds, or dates in parquet"),
        ("user,item,w\n1,2,3\n1,3,\n", {"weight": "w"}, r"1 of 2 rows have no finite weight \(first: row 1\)"),
        ("user,item,w\n1,2,NaN\n1,3,1\n", {"weight": "w"}, r"1 of 2 rows have no finite weight \(first: row 0\)"),
        ("user,item,w\n1,2,1\n1,3,inf\n", {"weight": "w"}, r"set data.columns.weight=null"),
        ("user,item,a\n1,2,buy\n1,3,\n", {"behaviour": "a"}, r"1 of 2 rows have no behaviour \(first: row 1\)"),
        ("user,item\n1,2\n", {"wieght": "w"}, "data.columns has the unknown name 'wieght'; it maps user, item, weight"),
        ("user,item\n1,2\n", {"user": None}, "data.columns names no user column; set data.columns.user"),
        ("user,item\n1,2\n", {"weight": "w"}, r"no column 'w'; its columns are \['user', 'item'\]"),
    ],
)
def test_interactions_that_cannot_be_used_are_refused(
    tmp_path: Path, content: str, columns: dict[str, str | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, content, **columns)


def test_one_text_column_may_be_named_without_a_list(tmp_path: Path) -> None:
    source = shop(tmp_path, item_text="title", user_text="country")
    assert (source.item_text, source.user_text) == (("title",), ("country",))
    assert source.read().items["title"].to_list() == ["Lamp", "Box, red"]


def test_columns_that_are_no_text_are_kept_as_they_are(tmp_path: Path) -> None:
    items = shop(tmp_path, item_text=["title"]).read().items
    assert items.to_dict(as_series=False) == {"item": ["b7", "a1"], "title": ["Lamp", "Box, red"], "code": [7, 10]}


@pytest.mark.parametrize(
    ("columns", "texts", "advice"),
    [
        ({"user": "who"}, [], r"no column 'who'; its columns are .*: set data.columns.user to the right one\."),
        ({"item": "act"}, [], r"items.csv has no column 'act'; .*named as in the interactions, so rename it to 'act'"),
        ({}, ["name"], r"items.csv has no column 'name'; .*: set data.item_text to those that hold text"),
    ],
)
def test_a_missing_column_comes_with_the_setting_to_change(
    tmp_path: Path, columns: dict[str, str], texts: list[str], advice: str
) -> None:
    source = shop(tmp_path, columns={"user": "customer", "item": "sku", **columns}, item_text=texts)
    with pytest.raises(InputError, match=advice):
        source.read()


def test_text_columns_without_a_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data.item_text=\['title', 'code'\] needs a table; set data.items"):
        shop(tmp_path, items=None).read()


def test_a_missing_item_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data=shop: no file 'none.csv'"):
        shop(tmp_path, items="none.csv").read()


def test_online_retail_has_its_rows(configured: Configured) -> None:
    assert len(configured("online_retail").read().interactions) == 396_258


def test_online_retail_has_its_pairs(configured: Configured) -> None:
    assert prepare(configured("online_retail"), Filter(), RandomSplit()).counts["pairs"] == 267_403


def test_amazon_office_has_its_rows(configured: Configured) -> None:
    assert len(configured("amazon_office").read().interactions) == 53_258


def test_amazon_office_has_its_items(configured: Configured) -> None:
    assert len(configured("amazon_office").read().items) == 2_420


@pytest.mark.parametrize(
    ("given", "columns"), [(None, ()), ("title", ("title",)), (["title", "year"], ["title", "year"])]
)
def test_text_columns_may_be_none_or_one(given: object, columns: object) -> None:
    source = TableSource(name="films", interactions="x.csv", columns={}, item_text=given, user_text=given)  # type: ignore[arg-type]
    assert source.item_text == source.user_text == columns
