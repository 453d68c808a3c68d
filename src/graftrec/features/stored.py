"""What the feature store holds: listed, described, removed."""

import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from graftrec.data.files import written
from graftrec.errors import InputError
from graftrec.features.encoders.base import TextEncoder
from graftrec.features.lock import locked
from graftrec.features.shards import Shards


def note_use(folder: Path, encoder: TextEncoder) -> None:
    """Keeps what made the vectors in ``encoder.json``, whose time of change says when they were last used."""
    path = folder / "encoder.json"
    with suppress(OSError, InputError):  # a cache that is read-only serves all the same
        if path.is_file():
            os.utime(path)
        elif folder.is_dir():
            model = getattr(encoder, "model", "")  # a fingerprint has the digest of a folder's files
            about = {"fingerprint": encoder.fingerprint, "model": getattr(model, "name", model)}
            about["encoder"] = repr(encoder)
            with written(path, "paths.cache") as partial:
                partial.write_text(json.dumps({**about, "created": time.time()}, indent=1))


@dataclass(frozen=True)
class Stored:
    """The vectors of one encoder, in ``folder``."""

    folder: Path

    @property
    def key(self) -> str:
        return self.folder.name

    @cached_property
    def about(self) -> dict[str, Any]:
        """``fingerprint``, ``model`` (as typed), ``encoder`` (its repr), ``created`` (seconds); empty if unknown."""
        try:
            return dict(json.loads((self.folder / "encoder.json").read_text()))
        except (OSError, ValueError):
            return {}

    @cached_property
    def shards(self) -> Shards:
        return Shards.of(self.folder)

    @cached_property
    def texts(self) -> int:
        """How many texts have a vector."""
        return len(self.shards.distinct()[0])

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    @property
    def used(self) -> float:
        """Seconds of the last use."""
        path = self.folder / "encoder.json"
        return (path if path.is_file() else self.folder).stat().st_mtime

    def vectors(self) -> tuple[list[str], np.ndarray]:
        """SHA-256 of each text, in hexadecimal digits, and vectors [n, F]."""
        keys, positions = self.shards.distinct()
        return [key.ljust(32, b"\0").hex() for key in keys.tolist()], self.shards.gather(positions)

    def remove(self) -> None:
        """Takes the folder away, once no process is encoding for it."""
        with locked(self.folder):
            shutil.rmtree(self.folder)


def all_stored(folder: Path | str) -> list[Stored]:
    """Everything in the feature store, last used first."""
    root = Path(folder).expanduser()
    found = [Stored(path) for path in root.glob("*") if path.is_dir()] if root.is_dir() else []
    return sorted(found, key=lambda stored: -stored.used)


def find_stored(folder: Path | str, key: str) -> Stored:
    """The one whose key begins with ``key``."""
    known = all_stored(folder)
    found = [stored for stored in known if stored.key.startswith(key)]
    if len(found) == 1:
        return found[0]
    few = ", ".join(stored.key[:12] for stored in (found or known)[:5])
    raise InputError(
        f"{'Several keys begin' if found else 'No key begins'} with {key!r} in {folder}"
        f"{f' ({few})' if few else ''}; see them all: graftrec features ls"
    )
