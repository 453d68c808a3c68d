import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.sources.lightgcn_text import LightGCNText, read_user_lines
from graftrec.errors import InputError
from tests.data.sources.conftest import Configured, Prepared

TRAIN, TEST, VALID = "0 3 1 2\n1 3\n2\n", "0 4\n1 \n2 0\n", "1 0\n"
TRAIN_ROWS, TEST_ROWS = [(0, 3, 0), (0, 1, 0), (0, 2, 0), (1, 3, 0)], [(0, 4, 2), (2, 0, 2)]


def write(path: Path, content: str) -> Path:
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def source(folder: Path, **settings: object) -> LightGCNText:
    return LightGCNText(name="small", folder=str(folder), train="train.txt", test="test.txt", **settings)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_files_are_read_plain_and_gzipped(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"train.txt{ending}", TRAIN)
    write(tmp_path / f"test.txt{ending}", TEST)
    assert source(tmp_path).read().interactions.rows() == TRAIN_ROWS + TEST_ROWS


def test_a_validation_file_is_part_one(tmp_path: Path) -> None:
    for name, content in (("train.txt", TRAIN), ("test.txt", TEST), ("valid.txt", VALID)):
        write(tmp_path / name, content)
    rows = source(tmp_path, valid="valid.txt").read().interactions
    assert rows.filter(rows["part"] == 1).rows() == [(1, 0, 1)]


def test_ordered_lines_give_places_that_the_test_file_goes_on_with(tmp_path: Path) -> None:
    write(tmp_path / "train.txt", "0 3 1\n1 3\n")
    write(tmp_path / "test.txt", "0 4 0\n")
    order = source(tmp_path, ordered=True).read().interactions.select("item", "order")
    assert order.rows() == [(3, 0), (1, 1), (3, 0), (4, 2), (0, 3)]


def test_item_tables_beside_the_files_are_read(tmp_path: Path) -> None:
    for name, content in (("train.txt", TRAIN), ("test.txt", TEST), ("items.tsv", "item\ttitle\n3\tLamp\n")):
        write(tmp_path / name, content)
    assert source(tmp_path, items="items.tsv", item_text=["title"]).read().items.rows() == [(3, "Lamp")]


def test_missing_files_are_downloaded(tmp_path: Path, serve: Callable[[Path], str]) -> None:
    (tmp_path / "served").mkdir()
    address = serve(tmp_path / "served")
    downloads = {}
    for name, content in (("train.txt", TRAIN), ("test.txt", TEST)):
        write(tmp_path / "served" / name, content)
        downloads[name] = {"url": f"{address}/{name}", "hash": f"md5:{hashlib.md5(content.encode()).hexdigest()}"}
    assert source(tmp_path / "data", downloads=downloads).read().interactions.rows() == TRAIN_ROWS + TEST_ROWS


@given(lists=st.lists(st.lists(st.integers(0, 10**12), max_size=5), min_size=1, max_size=6))
def test_pairs_come_back_as_written(lists: list[list[int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "pairs.txt"
    path.write_text("".join(" ".join(map(str, [user, *items])) + "\n" for user, items in enumerate(lists)))
    assert read_user_lines(path).rows() == [(user, item) for user, items in enumerate(lists) for item in items]


@pytest.mark.parametrize(
    "content",
    ["0 1\n1 2", "0 1\r\n1 2\r\n", "0  1 \n 1 2\n", "0 1\n\n1 2\n", "0 1\n \n1 2\n", "5\n0 1\n1 2\n", "0 1\n1 2\n5 \n"],
    ids=["no last newline", "windows", "blanks", "empty line", "blank line", "first without", "last without"],
)
def test_lines_may_be_written_loosely(tmp_path: Path, content: str) -> None:
    assert read_user_lines(write(tmp_path / "train.txt", content)).rows() == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("0 1 x2\n", "'x2'"),
        ("u0 1 2\n", "'u0'"),
        ("0 1.0\n", "'1.0'"),
        ("0,1,2\n", "'0,1,2'"),
        ("user item\n0 1\n", "'user'"),
        ("0\t1\t2\n", r"'0\\t1\\t2'"),
    ],
)
def test_tokens_that_are_no_integers_are_refused(tmp_path: Path, content: str, shown: str) -> None:
    message = f"train.txt holds {shown}; expected integers with blanks between them, one user a line"
    with pytest.raises(InputError, match=message):
        read_user_lines(write(tmp_path / "train.txt", content))


@pytest.mark.parametrize("name", ["train.txt", "train.txt.gz"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is empty; expected one user a line: user item item"):
        read_user_lines(write(tmp_path / name, ""))


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt.gz", "".join(f"{n} {n * n}\n" for n in range(2000)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"train.txt.gz cannot be read"):
        read_user_lines(path)


def test_a_missing_file_is_refused_with_its_origin(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data=small: no file 'train.txt'.*It can be had here: github.com/somewhere"):
        source(tmp_path, origin="github.com/somewhere").read()


def test_gowalla_has_its_users_and_items(prepared: Prepared) -> None:
    dataset = prepared("gowalla")
    assert (dataset.num_users, dataset.num_items) == (29_858, 40_981)


def test_gowalla_has_its_rows(configured: Configured) -> None:
    parts = configured("gowalla").read().interactions["part"]
    assert ((parts == 0).sum(), (parts == 2).sum()) == (810_128, 217_242)


def test_gowalla_has_an_id_that_says_how_it_was_validated(prepared: Prepared) -> None:
    assert prepared("gowalla").id == "gowalla/lightgcn-valid10"


def test_rlmrec_amazon_has_its_parts(prepared: Prepared) -> None:
    dataset = prepared("rlmrec_amazon")
    assert [len(part) for part in (dataset.train, dataset.valid, dataset.test)] == [120_464, 40_290, 40_106]


def test_another_encoding_than_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_bytes("0 1 é\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"train.txt cannot be read as text: .*; save it as UTF-8"):
        read_user_lines(tmp_path / "train.txt")
