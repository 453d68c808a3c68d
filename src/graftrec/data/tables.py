"""Reading csv, tsv and parquet tables into columns with the project's names."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from graftrec.errors import InputError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
IDS = ("user", "item")


def read_table(
    path: Path,
    columns: Mapping[str, str],
    texts: Sequence[str] = (),
    advice: Mapping[str, str] | None = None,
    rest: bool = False,
) -> pl.DataFrame:
    """Read ``path`` and keep ``columns``, a mapping from the project's name to the file's name.

    ``rest`` keeps the other columns too, under their own names.

    csv and tsv may be gzipped. Ids (``user``, ``item``) become Int64 where every value is written as
    a plain integer, String otherwise, so that ``007`` stays ``007``. The columns that become ``texts``
    are not taken for numbers either. ``advice`` says what to do where a column is missing, by project's name.
    """
    frame = _read(path, text_columns=[columns[name] for name in (*IDS, *texts) if name in columns])
    missing = [name for name, given in columns.items() if given not in frame.columns]
    if missing:
        advised = (advice or {}).get(missing[0], f"set data.columns.{missing[0]} to the right one")
        raise InputError(f"{path} has no column {columns[missing[0]]!r}; its columns are {frame.columns}: {advised}.")
    if frame.is_empty():
        raise InputError(f"{path} has a header but no rows.")
    others = [name for name in frame.columns if rest and name not in {*columns, *columns.values()}]
    frame = frame.select(*(pl.col(given).alias(name) for name, given in columns.items()), *others)
    return frame.with_columns(tidy_ids(frame[name], path) for name in IDS if name in columns)


def read_text(path: Path, key: str, key_column: str, text_columns: Sequence[str]) -> pl.DataFrame:
    """Read a user or item table: ``key`` (its id), ``text_columns`` as strings, and the other columns as they are."""
    advice = dict.fromkeys(text_columns, f"set data.{key}_text to those that hold text")
    advice[key] = f"the one of {key} ids must be named as in the interactions, so rename it to {key_column!r}"
    frame = read_table(
        path, {key: key_column, **{name: name for name in text_columns}}, text_columns, advice, rest=True
    )
    repeated = frame[key].filter(frame[key].is_duplicated())
    if len(repeated):
        raise InputError(
            f"{path} has several rows for {repeated.n_unique():,} of {frame[key].n_unique():,} {key} ids "
            f"(first: {repeated[0]!r}); keep one row for each."
        )
    return frame.with_columns(pl.col(name).cast(pl.String) for name in text_columns)


def _read(path: Path, text_columns: Sequence[str]) -> pl.DataFrame:
    kind = next((s for s in reversed(path.suffixes) if s != ".gz"), "")
    with reading(path, kind[1:], "a header line and rows"):
        if kind == ".parquet":
            return pl.read_parquet(path)
        if kind in SEPARATORS:
            types = dict.fromkeys(text_columns, pl.String)
            frame = pl.read_csv(
                path, separator=SEPARATORS[kind], schema_overrides=types, infer_schema_length=10_000, quote_char='"'
            )
            if any("\ufffd" in name for name in frame.columns):  # polars checks the rows alone
                raise pl.exceptions.ComputeError("invalid utf-8 sequence in the header")
            return frame
    raise InputError(f"{path} has the unknown ending {kind!r}; expected .csv, .tsv (plain or .gz) or .parquet.")


@contextmanager
def reading(path: Path, kind: str, expected: str) -> Iterator[None]:
    """Failures of polars on ``path`` as InputError: an empty file, a truncated or damaged one, another encoding."""
    try:
        yield
    except pl.exceptions.NoDataError as error:
        raise InputError(f"{path} is empty; expected {expected}.") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        advice = "save it as UTF-8" if "utf-8" in reason else "it may be truncated or damaged: fetch or write it again"
        raise InputError(f"{path} cannot be read as {kind}: {reason}; {advice}.") from error


def tidy_ids(ids: pl.Series, path: Path) -> pl.Series:
    """Int64 where every id is written as a plain integer, String otherwise; refuses missing ids."""
    if ids.null_count():
        raise InputError(f"{path}: {ids.null_count():,} of {len(ids):,} rows have no {ids.name} id.")
    if ids.dtype.is_nested():
        raise InputError(f"{path}: the {ids.name} column holds {ids.dtype} values; expected numbers or texts as ids.")
    if ids.dtype.is_signed_integer():
        return ids.cast(pl.Int64)
    texts = ids.cast(pl.String)
    numbers = texts.cast(pl.Int64, strict=False)
    written_alike = numbers.null_count() == 0 and (numbers.cast(pl.String) == texts).all()
    return numbers if written_alike else texts
