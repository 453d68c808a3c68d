"""Truncated files, other encodings, odd ids, any bytes at all."""

import tempfile
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.tables import read_table
from graftrec.errors import InputError

BOTH = {"user": "user", "item": "item"}


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_parquet_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"user": range(5000), "item": range(5000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError, match=r"cannot be read as parquet: .*; it may be truncated or damaged: fetch or"):
        read_table(path, BOTH)


@pytest.mark.parametrize(
    "content",
    [
        "user,item\né,2\n".encode("latin-1"),
        "user,item,é\n1,2,3\n".encode("latin-1"),
        "user,item\n1,2\n".encode("utf-16"),
    ],
    ids=["rows", "header", "utf-16"],
)
def test_another_encoding_than_utf_8_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(
        InputError, match=r"table.csv cannot be read as csv: invalid utf-8 sequence.*; save it as UTF-8"
    ):
        read_table(tmp_path / "table.csv", BOTH)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes("user,item\n1,2\n".encode("utf-8-sig"))
    assert read_table(tmp_path / "table.csv", BOTH).rows() == [(1, 2)]


def test_ids_that_are_lists_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"user": [[1, 2]], "item": [1]}).write_parquet(tmp_path / "table.parquet")
    with pytest.raises(
        InputError, match=r"the user column holds List\(Int64\) values; expected numbers or texts as ids"
    ):
        read_table(tmp_path / "table.parquet", BOTH)


@given(content=st.binary(max_size=200), ending=st.sampled_from(["csv", "tsv", "csv.gz", "parquet"]))
def test_any_bytes_are_read_or_refused_with_a_message(content: bytes, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{ending}"
        path.write_bytes(b"user,item\n" + content if ending == "csv" else content)
        with suppress(InputError):
            read_table(path, BOTH)
