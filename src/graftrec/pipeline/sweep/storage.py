"""Where trials are kept: a journal file in the sweep folder, or a database."""

import fcntl
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from graftrec.errors import InputError

JOURNAL = "journal.log"
Lock = Callable[[], AbstractContextManager[None]]


def open_storage(url: str | None, folder: Path) -> BaseStorage:
    """The journal of a sweep folder, or the database of ``url``."""
    if url is None:
        path = str(folder / JOURNAL)
        return JournalStorage(JournalFileBackend(path, lock_obj=JournalLock(path)))
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return RDBStorage(url)
    except (ImportError, ValueError, SQLAlchemyError) as error:
        raise InputError(
            f"hydra.sweeper.storage cannot be opened: {str(error).splitlines()[0]}. It is null (a file in the sweep "
            f"folder), sqlite:///trials.db, or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE."
        ) from error


def claim_lock(storage: BaseStorage, folder: Path, study: str) -> Lock:
    """What processes hold while they take trials; a killed one's is free at once.

    Machines that share a PostgreSQL database need share no folder.
    """
    if isinstance(storage, RDBStorage) and storage.engine.dialect.name == "postgresql":
        return lambda: _advisory_lock(storage, zlib.crc32(study.encode()))
    return lambda: _file_lock(folder / "claims.lock")


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _advisory_lock(storage: RDBStorage, key: int) -> Iterator[None]:
    from sqlalchemy import text

    with storage.engine.begin() as connection:  # until the transaction or the connection ends
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        yield


class JournalLock(JournalFileOpenLock):
    """The kernel's lock on the journal: unlike Optuna's own it is gone with its holder, so no start waits for it.

    Whoever gets it cuts off the half line of a writer that was killed; else no start could read the journal.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path
        self._descriptor = -1

    def acquire(self) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._descriptor = descriptor
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.ftruncate(descriptor, Path(self.path).read_bytes().rfind(b"\n") + 1)
        return True

    def release(self) -> None:
        os.close(self._descriptor)
