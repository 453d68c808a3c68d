"""Run folders of commands that failed before training: they are taken away again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from omegaconf import MissingMandatoryValue

from graftrec.errors import InputError

SETTINGS = ("hydra.run.dir=", "hydra.sweep.dir=")
OURS = {"config.yaml", "environment.json", ".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml"}

_older = False  # whether this command was given a folder that exists


def note_folders() -> None:
    """Before Hydra makes the folder: was it there? The default has the time in its name, so it never was."""
    global _older
    given = [word.split("=", 1)[1].strip("'\"") for word in sys.argv[1:] if word.startswith(SETTINGS)]
    _older = any("$" in folder or Path(folder).exists() for folder in given)


@contextmanager
def without_trace(folder: Path) -> Iterator[None]:
    """Where bad input or Ctrl-C ends a run before training, remove the ``folder`` that this command made."""
    try:
        yield
    except (InputError, MissingMandatoryValue, KeyboardInterrupt):
        if not _older:
            with suppress(OSError):  # the reason of the failure matters more
                _remove(folder)
        raise


def _remove(folder: Path) -> None:
    """Remove a folder with nothing but settings in it; any other file, such as run.json, keeps it."""
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    if not {path.relative_to(folder).as_posix() for path in files} <= OURS:
        return
    for path in files:
        path.unlink()
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        path.rmdir()
    folder.rmdir()
