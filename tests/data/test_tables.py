import csv
import gzip
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.tables import read_table, read_text
from graftrec.errors import InputError

BOTH = {"user": "user", "item": "item"}
SEPARATORS = {"csv": ",", "tsv": "\t"}
INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00") | st.sampled_from("\"',;\t\n |é漢"), min_size=1)
ROWS = st.lists(st.tuples(INTEGERS, TEXTS), min_size=1, max_size=8, unique_by=lambda row: row[0])


def write(path: Path, content: str) -> Path:
    """Write ``content``, gzipped where the name says so."""
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def write_rows(path: Path, header: Sequence[str], rows: Sequence[tuple]) -> Path:
    """Write ``rows`` with Python's own csv module, or as parquet."""
    if path.suffix == ".parquet":
        pl.DataFrame(rows, schema=list(header), orient="row").write_parquet(path)
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=SEPARATORS[path.suffix[1:]]).writerows([header, *rows])
    return path


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz", "tsv.gz"])
def test_text_tables_are_read_plain_and_gzipped(tmp_path: Path, ending: str) -> None:
    separator = SEPARATORS[ending.removesuffix(".gz")]
    path = write(tmp_path / f"table.{ending}", f"user{separator}item\n3{separator}x1\n4{separator}x2\n")
    assert read_table(path, BOTH).rows() == [(3, "x1"), (4, "x2")]


def test_parquet_tables_are_read(tmp_path: Path) -> None:
    pl.DataFrame({"user": [3, 4], "item": ["x1", "x2"]}).write_parquet(tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet", BOTH).rows() == [(3, "x1"), (4, "x2")]


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
@given(rows=ROWS)
def test_tables_come_back_as_written(ending: str, rows: list[tuple[int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_rows(Path(folder) / f"table.{ending}", ["user", "title"], rows)
        assert read_text(path, "user", "user", ["title"]).rows() == rows


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
@given(ids=st.lists(TEXTS, min_size=1, max_size=8))
def test_string_ids_come_back_as_written(ending: str, ids: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_rows(Path(folder) / f"table.{ending}", ["item", "other"], [(one, 1) for one in ids])
        assert read_table(path, {"item": "item"})["item"].cast(pl.String).to_list() == ids


def test_columns_are_renamed_and_the_others_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "table.csv", "customer,sku,price,qty\n1,2,9.5,3\n")
    assert read_table(path, {"user": "customer", "item": "sku", "weight": "qty"}).to_dicts() == [
        {"user": 1, "item": 2, "weight": 3}
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["7", "12"], [7, 12]),
        (["-3", "0"], [-3, 0]),
        (["007", "12"], ["007", "12"]),
        (["+7", "12"], ["+7", "12"]),
        (["7.0", "12"], ["7.0", "12"]),
        (["9223372036854775808", "1"], ["9223372036854775808", "1"]),
        (["null", "NA"], ["null", "NA"]),
    ],
)
def test_ids_are_numbers_only_where_all_are_written_as_plain_integers(
    tmp_path: Path, written: list[str], expected: list
) -> None:
    path = write(tmp_path / "table.csv", "user\n" + "\n".join(written) + "\n")
    assert read_table(path, {"user": "user"})["user"].to_list() == expected


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt32, pl.UInt64, pl.Int64])
def test_integer_ids_of_parquet_become_int64(tmp_path: Path, dtype: type[pl.DataType]) -> None:
    pl.DataFrame({"user": pl.Series([1, 2], dtype=dtype)}).write_parquet(tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet", {"user": "user"})["user"].dtype == pl.Int64


def test_ids_beyond_int64_stay_strings(tmp_path: Path) -> None:
    pl.DataFrame({"user": pl.Series([2**63], dtype=pl.UInt64)}).write_parquet(tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet", {"user": "user"})["user"].to_list() == ["9223372036854775808"]


def test_texts_that_look_like_numbers_stay_as_written(tmp_path: Path) -> None:
    path = write(tmp_path / "table.csv", "item,title\n1,007\n2,1.50\n")
    assert read_text(path, "item", "item", ["title"])["title"].to_list() == ["007", "1.50"]


def test_missing_texts_are_null(tmp_path: Path) -> None:
    path = write(tmp_path / "table.tsv", "item\ttitle\tbrand\n1\t\tacme\n")
    assert read_text(path, "item", "item", ["title", "brand"]).row(0) == (1, None, "acme")


def test_numbers_of_parquet_are_texts_where_texts_are_wanted(tmp_path: Path) -> None:
    pl.DataFrame({"item": ["a"], "year": [1995]}).write_parquet(tmp_path / "table.parquet")
    assert read_text(tmp_path / "table.parquet", "item", "item", ["year"]).row(0) == ("a", "1995")


def test_a_missing_column_is_named_with_those_that_exist(tmp_path: Path) -> None:
    path = write(tmp_path / "table.csv", "customer,item\n1,2\n")
    with pytest.raises(
        InputError, match=r"no column 'user'; its columns are \['customer', 'item'\]: set data.columns.user"
    ):
        read_table(path, BOTH)


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is empty; expected a header line and rows"):
        read_table(write(tmp_path / name, ""), BOTH)


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"table.csv has a header but no rows"):
        read_table(write(tmp_path / "table.csv", "user,item\n"), BOTH)


@pytest.mark.parametrize(("name", "ending"), [("table.xlsx", ".xlsx"), ("table", ""), ("table.json.gz", ".json")])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str, ending: str) -> None:
    message = f"unknown ending '{ending}'; expected .csv, .tsv \\(plain or .gz\\) or .parquet"
    with pytest.raises(InputError, match=message):
        read_table(write(tmp_path / name, "user,item\n1,2\n"), BOTH)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_gzip_is_refused(tmp_path: Path, share: float) -> None:
    path = write(tmp_path / "table.csv.gz", "user,item\n" + "".join(f"{n},{n * n}\n" for n in range(2000)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError, match=r"table.csv.gz cannot be read as csv"):
        read_table(path, BOTH)


def test_a_damaged_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"table.parquet cannot be read as parquet"):
        read_table(write(tmp_path / "table.parquet", "PAR1 and no more"), BOTH)


def test_rows_with_too_many_fields_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"table.csv cannot be read as csv"):
        read_table(write(tmp_path / "table.csv", "user,item\n1,2,3\n"), BOTH)


def test_rows_without_an_id_are_counted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 of 3 rows have no user id"):
        read_table(write(tmp_path / "table.csv", "user,item\n,1\n5,2\n,3\n"), BOTH)


def test_several_rows_for_one_item_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "table.csv", "item,title\n1,one\n2,two\n2,deux\n")
    with pytest.raises(
        InputError, match=r"table.csv has several rows for 1 of 2 item ids \(first: 2\); keep one row for each"
    ):
        read_text(path, "item", "item", ["title"])
