"""The user's own csv, tsv or parquet files."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from graftrec.data.files import FileSource
from graftrec.data.sources.base import RawData, Source
from graftrec.data.tables import IDS, read_table
from graftrec.errors import InputError

NUMBERS = ("weight", "time", "order")
COLUMNS = (*IDS, *NUMBERS, "behaviour")


@dataclass(frozen=True, kw_only=True)
class TableSource(Source):
    """Interactions, and optionally items and users, from tables.

    ``columns`` maps the project's names (user, item, weight, time, order, behaviour) to the file's; a
    name mapped to null is not read. The item and user tables have their id in ``columns.item`` and
    ``columns.user`` too. ``folder`` is where relative names are looked up (null: the working folder).
    """

    interactions: str
    items: str | None = None
    users: str | None = None
    columns: Mapping[str, str | None]
    folder: str | None = None
    origin: str = ""

    def read(self) -> RawData:
        unknown = set(self.columns) - set(COLUMNS)
        if unknown:
            raise InputError(f"data.columns has the unknown name {sorted(unknown)[0]!r}; it maps {', '.join(COLUMNS)}.")
        columns = {name: given for name, given in self.columns.items() if given is not None}
        unmapped = [name for name in IDS if name not in columns]
        if unmapped:
            raise InputError(f"data.columns names no {unmapped[0]} column; set data.columns.{unmapped[0]}.")
        files = FileSource(self.name, self.folder, self.origin)
        path = files.locate(self.interactions)
        return RawData(
            interactions=check_interactions(read_table(path, columns, ["behaviour"]), str(path)),
            items=self.read_text_table(files, "item", self.items, columns["item"]),
            users=self.read_text_table(files, "user", self.users, columns["user"]),
        )


def check_interactions(frame: pl.DataFrame, origin: str) -> pl.DataFrame:
    """Interactions with Float64 numbers and String behaviour; refuses what cannot be used."""
    if "time" in frame.columns and frame["time"].dtype.is_temporal():
        frame = frame.with_columns(pl.col("time").cast(pl.Datetime("us")).dt.epoch("us") / 1e6)
    for name in NUMBERS:
        if name not in frame.columns:
            continue
        if not frame[name].dtype.is_numeric():
            written = frame[name].cast(pl.String, strict=False).cast(pl.Float64, strict=False)
            first = next(iter(frame[name].filter(written.is_null()).drop_nulls()), frame[name][0])
            raise InputError(
                f"{origin}: the {name} column holds {frame[name].dtype} values such as {first!r}; "
                f"expected numbers{' of seconds, or dates in parquet' if name == 'time' else ''}. "
                f"Set data.columns.{name}, or set it to null to leave it out."
            )
        bad = frame[name].is_null() | ~frame[name].cast(pl.Float64).is_finite().fill_null(False)
        if bad.any():
            raise InputError(
                f"{origin}: {bad.sum():,} of {len(frame):,} rows have no finite {name} "
                f"(first: row {bad.arg_max()}); mend them or set data.columns.{name}=null."
            )
    if "behaviour" in frame.columns and frame["behaviour"].has_nulls():
        raise InputError(
            f"{origin}: {frame['behaviour'].null_count():,} of {len(frame):,} rows have no behaviour "
            f"(first: row {frame['behaviour'].is_null().arg_max()}); mend them or set data.columns.behaviour=null."
        )
    numbers = [pl.col(name).cast(pl.Float64) for name in NUMBERS if name in frame.columns]
    texts = [pl.col(name).cast(pl.String) for name in ("behaviour",) if name in frame.columns]
    return frame.with_columns(*numbers, *texts)
