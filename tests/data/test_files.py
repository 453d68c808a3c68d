import hashlib
import os
import re
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from graftrec.data.files import Download, FileSource, check_writable, retrieve, written
from graftrec.errors import InputError

CONTENT = b"0 1 2\n1 3\n"
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
ROWS = pl.DataFrame({"number": pl.Series(range(5000)).shuffle(seed=0)})
Serve = Callable[[Path], str]


@pytest.fixture
def address(tmp_path: Path, serve: Serve) -> str:
    """Where train.txt is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "train.txt").write_bytes(CONTENT)
    return f"{serve(folder)}/train.txt"


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_a_download_with_the_right_checksum_is_kept(tmp_path: Path, address: str, checksum: str) -> None:
    assert retrieve(Download(address, checksum), tmp_path / "new" / "train.txt").read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match=f"Could not download {address} to .*hash of downloaded file"):
        retrieve(Download(address, "sha256:" + 64 * "0"), tmp_path / "new" / "train.txt")


def test_a_wrong_checksum_leaves_no_file(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError):
        retrieve(Download(address, "md5:" + 32 * "0"), tmp_path / "new" / "train.txt")
    assert list((tmp_path / "new").iterdir()) == []


def test_an_address_that_serves_nothing_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match=r"Could not download .*none.txt to .*404"):
        retrieve(Download(address.replace("train", "none"), SHA256), tmp_path / "none.txt")


def test_locate_finds_the_plain_file_first(tmp_path: Path) -> None:
    for name in ("a.tsv", "a.tsv.gz"):
        (tmp_path / name).touch()
    assert FileSource("small", str(tmp_path)).locate("a.tsv") == tmp_path / "a.tsv"


def test_locate_finds_the_gzipped_file(tmp_path: Path) -> None:
    (tmp_path / "a.tsv.gz").touch()
    assert FileSource("small", str(tmp_path)).locate("a.tsv") == tmp_path / "a.tsv.gz"


def test_locate_takes_names_as_paths_where_there_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").touch()
    assert FileSource("small").locate(str(tmp_path / "a.tsv")) == tmp_path / "a.tsv"


def test_locate_looks_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.tsv").touch()
    assert FileSource("small", "~").locate("a.tsv") == tmp_path / "a.tsv"


def test_locate_downloads_what_is_missing(tmp_path: Path, address: str) -> None:
    files = FileSource("small", str(tmp_path / "data"), downloads={"train.txt": Download(address, SHA256)})
    assert files.locate("train.txt").read_bytes() == CONTENT


def test_locate_downloads_once(tmp_path: Path, address: str) -> None:
    files = FileSource("small", str(tmp_path / "data"), downloads={"train.txt": Download(address, SHA256)})
    files.locate("train.txt")
    (tmp_path / "served" / "train.txt").unlink()
    assert files.locate("train.txt").read_bytes() == CONTENT


@pytest.mark.parametrize("part", ["data=small", "'a.tsv'", "{folder}/a.tsv ", "{folder}/a.tsv.gz", "shop.org/data"])
def test_the_message_on_a_missing_file_says_where_it_was_looked_for(tmp_path: Path, part: str) -> None:
    with pytest.raises(InputError, match=re.escape(part.format(folder=tmp_path))):
        FileSource("small", str(tmp_path), origin="shop.org/data").locate("a.tsv")


def test_the_message_on_a_missing_file_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Set paths\.data \(or the environment variable GRAFTREC_DATA\)"):
        FileSource("small", str(tmp_path)).locate("a.tsv")


def test_the_message_on_a_missing_file_shows_relative_names_in_full() -> None:
    with pytest.raises(InputError, match=re.escape(os.path.join(os.getcwd(), "no_such_file.tsv"))):
        FileSource("small").locate("no_such_file.tsv")


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """As on a disk with no more room, no file can grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("write", [lambda path: path.write_bytes(bytes(5000)), ROWS.write_parquet])
def test_a_full_disk_is_refused_and_keeps_the_old_file(tmp_path: Path, write: Callable[[Path], object]) -> None:
    (tmp_path / "a").write_text("old")
    message = r"cannot be written .*: is it full or read-only\? Set paths.cache elsewhere"
    with full_disk(1000), pytest.raises(InputError, match=message), written(tmp_path / "a", "paths.cache") as partial:
        write(partial)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_stops_writing_leaves_nothing_half_written(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), written(tmp_path / "a", "paths.cache") as partial:  # noqa: PT012
        partial.write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, from nobody")
def test_a_read_only_folder_is_refused() -> None:
    with pytest.raises(InputError, match=r"/proc/graftrec cannot be written .*Set paths.cache elsewhere"):
        check_writable(Path("/proc/graftrec"), "paths.cache")


def test_a_folder_that_takes_files_is_left_empty(tmp_path: Path) -> None:
    check_writable(tmp_path / "new", "paths.cache")
    assert list((tmp_path / "new").iterdir()) == []
