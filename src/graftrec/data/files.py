"""Finding a data file, downloading it with its checksum verified, and writing files whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from polars.exceptions import PolarsError
from safetensors import SafetensorError

from graftrec.errors import InputError


@dataclass(frozen=True)
class Download:
    """A public address. ``hash`` is ``sha256:...`` or ``md5:...`` of what the address serves."""

    url: str
    hash: str


@dataclass(frozen=True)
class FileSource:
    """Where the files of one data set lie and where they can be had."""

    name: str  # the data set, for messages
    folder: str | None = None  # None: names are paths of their own
    origin: str = ""  # where a person can get the files
    downloads: Mapping[str, Download] | None = None  # by file name

    def locate(self, file: str) -> Path:
        """Path of ``file``: as named, gzipped, or downloaded into the folder."""
        candidates = self._candidates(file)
        found = next((path for path in candidates if path.is_file()), None)
        if found is not None:
            return found
        if self.downloads and file in self.downloads:
            return retrieve(self.downloads[file], candidates[0])
        looked = " and ".join(str(path.absolute()) for path in candidates)
        advice = [f"It can be had here: {self.origin}."] if self.origin else []
        if self.folder:
            advice.append("Set paths.data (or the environment variable GRAFTREC_DATA) to the folder of data sets.")
        raise InputError(f"data={self.name}: no file {file!r}; looked for {looked}. {' '.join(advice)}".strip())

    def availability(self, *files: str) -> str:
        """``here``, ``download`` or ``missing``: whether ``locate`` will find all ``files``."""
        absent = [file for file in files if not any(path.is_file() for path in self._candidates(file))]
        if not absent:
            return "here"
        return "download" if all(file in (self.downloads or {}) for file in absent) else "missing"

    def _candidates(self, file: str) -> list[Path]:
        base = Path(self.folder).expanduser() if self.folder else Path()
        wanted = base / Path(file).expanduser()
        return [wanted, wanted.with_name(wanted.name + ".gz")]


def retrieve(download: Download, target: Path) -> Path:
    """Download into ``target`` with a progress bar; a wrong checksum leaves no file behind."""
    import pooch

    try:
        pooch.retrieve(
            url=download.url, known_hash=download.hash, fname=target.name, path=target.parent, progressbar=True
        )
    except (OSError, ValueError) as error:
        raise InputError(f"Could not download {download.url} to {target}: {error}") from error
    return target


@contextmanager
def written(path: Path, setting: str) -> Iterator[Path]:
    """A temporary name beside ``path``, moved into place at the end; whatever goes wrong, nothing is left half-written.

    ``setting`` is what chooses the folder: the message of a full or read-only one says to change it.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError | PolarsError | SafetensorError):  # how these libraries tell of a full disk
            raise InputError(
                f"{path.parent} cannot be written ({error}): is it full or read-only? Set {setting} elsewhere."
            ) from error
        raise


def check_writable(folder: Path, setting: str) -> None:
    """Refuse a ``folder`` that takes no file, before anything long is computed for it."""
    probe = folder / ".writable"
    with written(probe, setting) as partial:
        partial.write_bytes(bytes(4096))  # an empty file fits on a full disk
    probe.unlink(missing_ok=True)
