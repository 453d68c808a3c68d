"""Finding a data file, or downloading it with its checksum verified."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
        base = Path(self.folder).expanduser() if self.folder else Path()
        wanted = base / Path(file).expanduser()
        candidates = [wanted, wanted.with_name(wanted.name + ".gz")]
        found = next((path for path in candidates if path.is_file()), None)
        if found is not None:
            return found
        if self.downloads and file in self.downloads:
            return retrieve(self.downloads[file], wanted)
        looked = " and ".join(str(path.absolute()) for path in candidates)
        advice = [f"It can be had here: {self.origin}."] if self.origin else []
        if self.folder:
            advice.append("Set paths.data (or the environment variable GRAFTREC_DATA) to the folder of data sets.")
        raise InputError(f"data={self.name}: no file {file!r}; looked for {looked}. {' '.join(advice)}".strip())


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
