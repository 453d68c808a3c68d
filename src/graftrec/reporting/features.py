"""The feature store in the terminal."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from graftrec.errors import InputError
from graftrec.features.stored import Stored
from graftrec.reporting.tables import console

KEY = 12  # letters of a key that are shown: enough to be the only one


def print_stored(stored: Sequence[Stored], folder: str) -> None:
    """One row an encoder."""
    if not stored:
        console().print(f"No features are kept in {folder} yet.", highlight=False)
        return
    table = Table("key", "encoder", *("texts", "width"), "dtype", "size", "last used", title=Text(folder))
    for column in (2, 3, 5):
        table.columns[column].justify = "right"
    for one in stored:
        table.add_row(one.key[:KEY], Text(encoder_of(one.about)), *_shape(one), size(one.bytes), moment(one.used))
    console().print(table)


def _shape(stored: Stored) -> tuple[str, str, str]:
    try:
        return f"{stored.texts:,}", str(stored.shards.width), str(stored.shards.dtype)
    except InputError:  # show tells of it; the others are to be seen all the same
        return "damaged", "", ""


def print_details(stored: Stored) -> None:
    """Everything that is known of one encoder's vectors."""
    about = stored.about
    made = {
        "key": stored.key,
        "folder": str(stored.folder),
        "encoder": about.get("encoder", "unknown: written by an earlier version, named at its next use"),
        **{f"fingerprint.{name}": value for name, value in about.get("fingerprint", {}).items()},
        "texts": f"{stored.texts:,}",
        "vectors": f"{stored.shards.width} numbers of {stored.shards.dtype}",
        "size": f"{size(stored.bytes)} in {len(stored.shards.paths)} shards",
        "created": moment(about["created"]) if "created" in about else "unknown",
        "last used": moment(stored.used),
    }
    table = Table.grid(padding=(0, 2))
    for name, value in made.items():
        table.add_row(name, Text(str(value), overflow="fold"))
    console().print(table)


def encoder_of(about: dict[str, Any]) -> str:
    """Name and settings of an encoder; for the digest of a folder's files, the end of the folder's path."""
    values = {name: value for name, value in about.get("fingerprint", {}).items() if value is not None}
    kind, model = str(values.pop("encoder", "unknown")), str(values.pop("model", ""))
    name = "/".join(Path(about.get("model", "")).parts[-2:]) or model[:KEY]
    return " ".join([kind, *([name] if name else []), *(f"{key}={value}" for key, value in values.items())])


def size(count: float) -> str:
    """Bytes in the largest unit that fits."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def moment(seconds: float) -> str:
    """Local date and time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
