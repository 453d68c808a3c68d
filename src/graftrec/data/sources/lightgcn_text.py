"""LightGCN's text format: one user a line, ``user item item ...``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from graftrec.data.files import Download, FileSource
from graftrec.data.sources.base import PARTS, RawData, Source, check_statistics
from graftrec.data.tables import reading
from graftrec.errors import InputError


@dataclass(frozen=True, kw_only=True)
class LightGCNText(Source):
    """Train, test and optionally validation files (plain or gzipped) with integer ids.

    Source of the format: He et al., LightGCN (SIGIR 2020), and NGCF before it. ``downloads`` maps a
    file name to ``{url, hash}``. Files that do not hold what ``statistics`` says (users, items, interactions of all
    parts) are refused. ``ordered``: a line has its user's items in the order in which they came.
    """

    train: str
    test: str
    valid: str | None = None
    items: str | None = None
    users: str | None = None
    folder: str | None = None
    origin: str = ""
    downloads: Mapping[str, Mapping[str, str]] | None = None
    statistics: Mapping[str, int] | None = None
    ordered: bool = False

    def read(self) -> RawData:
        files = self._files()
        paths = {part: files.locate(name) for part, name in self._names().items()}
        parts = [
            read_user_lines(path).with_columns(pl.lit(PARTS[part], pl.Int8).alias("part"))
            for part, path in paths.items()
        ]
        interactions = pl.concat(parts)
        check_statistics(interactions, self.statistics, self.name, self.origin or "its origin")
        if self.ordered:
            interactions = interactions.with_columns(pl.int_range(pl.len()).over("user").alias("order"))
        return RawData(
            interactions=interactions,
            items=self.read_text_table(files, "item", self.items, "item"),
            users=self.read_text_table(files, "user", self.users, "user"),
        )

    def availability(self) -> str:
        tables = [table for table in (self.items, self.users) if table is not None]
        return self._files().availability(*self._names().values(), *tables)

    def _names(self) -> dict[str, str]:
        names = {"train": self.train, "valid": self.valid, "test": self.test}
        return {part: name for part, name in names.items() if name is not None}

    def _files(self) -> FileSource:
        downloads = {name: Download(**address) for name, address in (self.downloads or {}).items()}
        numbers = ", ".join(f"{count:,} {key}" for key, count in (self.statistics or {}).items())
        return FileSource(self.name, self.folder, self.origin + (f" ({numbers})" if numbers else ""), downloads)


def read_user_lines(path: Path) -> pl.DataFrame:
    """Pairs (user, item), Int64, of a file in LightGCN's format; a user without items gives no pair."""
    with reading(path, "text", "one user a line: user item item ..."):
        lines = pl.read_csv(
            path, has_header=False, separator="\x01", quote_char=None, new_columns=["line"], infer_schema=False
        )
    tokens = lines.select(pl.col("line").str.strip_chars().str.split(" ").alias("tokens"))
    rows = tokens.select(
        pl.col("tokens").list.first().alias("user"),
        pl.col("tokens").list.slice(1).list.eval(pl.element().filter(pl.element() != "")).alias("item"),
    ).filter(pl.col("user") != "")
    written = pl.concat([rows["user"], rows["item"].explode().alias("user")]).drop_nulls()
    bad = written.filter(written.cast(pl.Int64, strict=False).is_null())
    if len(bad):
        raise InputError(
            f"{path} holds {bad[0]!r}; expected integers with blanks between them, one user a line: user item item ..."
        )
    return rows.explode("item").drop_nulls("item").cast(pl.Int64)
