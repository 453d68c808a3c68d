"""The journal survives its writers; a database is shared."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from graftrec.errors import InputError
from graftrec.pipeline.sweep.owner import Owner
from graftrec.pipeline.sweep.storage import JOURNAL, JournalLock, open_storage
from tests.sweep.test_ledger import check_exact, start
from tests.sweep.worker import ledger, work

HOLDER = """
import sys, time
from graftrec.pipeline.sweep.storage import JournalLock
JournalLock(sys.argv[1]).acquire()
print("held", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
from graftrec.pipeline.sweep.owner import Owner
child = "import sys, time; from graftrec.pipeline.sweep.owner import Owner, end_with; "
child += "end_with(Owner.read(sys.argv[1])); print('ready', flush=True); time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", child, str(Owner.me())], stdout=subprocess.PIPE)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(60)
"""
POSTGRES = Path("/usr/lib/postgresql")


def test_a_killed_holders_lock_is_free_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / JOURNAL)
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    begin = time.monotonic()
    lock = JournalLock(path)
    lock.acquire()
    lock.release()
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("torn", [b'{"op_code":8', b"x" * 10_000])
def test_half_a_line_at_the_end_is_cut_off_and_nothing_else(tmp_path: Path, torn: bytes) -> None:
    study = ledger(tmp_path, 5)
    params = [claim.params for claim in study.claim(2, lambda number: [])]
    path = tmp_path / JOURNAL
    before = path.read_bytes()
    path.write_bytes(before + torn)
    assert [trial.params for trial in ledger(tmp_path, 5).trials] == params
    ledger(tmp_path, 5).study.set_user_attr("more", 1)
    lines = path.read_bytes().split(b"\n")
    assert path.read_bytes().startswith(before)
    assert lines.pop() == b""
    assert all(json.loads(line) for line in lines)


def test_a_job_ends_with_the_sweep_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        child = Owner("", pid, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
        assert child.lives()
        parent.kill()
    deadline = time.monotonic() + 10
    while child.lives() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not child.lives()


def test_a_job_of_a_dead_sweep_does_not_begin() -> None:
    """A worker of joblib that is still importing when the sweep is killed."""
    module = "import sys; from graftrec.pipeline.sweep.owner import Owner, end_with; "
    dead = subprocess.check_output([sys.executable, "-c", module + "print(Owner.me())"], text=True).strip()
    job = [sys.executable, "-c", module + "end_with(Owner.read(sys.argv[1]))"]
    assert subprocess.run([*job, dead]).returncode == -signal.SIGKILL
    assert subprocess.run([*job, str(Owner.me())]).returncode == 0


def test_sqlite_is_shared_by_two_processes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    ledger(tmp_path, 6, url)
    processes = [start(tmp_path, 6, 0.02, url) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    check_exact(tmp_path, 6, ledger(tmp_path, 6, url))
    assert not (tmp_path / JOURNAL).exists()


def test_an_unknown_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"hydra\.sweeper\.storage cannot be opened"):
        open_storage("nosuchdatabase://host/name", tmp_path)


@pytest.fixture
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh server of Debian's package on a socket of its own; its address."""
    programs = (
        next(iter(sorted(POSTGRES.glob("*/bin"), reverse=True)), None) or Path(shutil.which("initdb") or "").parent
    )
    if not (programs / "initdb").exists() or find_spec("psycopg") is None:
        pytest.skip("needs PostgreSQL (apt-get install postgresql) and psycopg")
    folder = tmp_path_factory.mktemp("postgresql")
    as_server: list[str] = []
    if os.getuid() == 0:  # PostgreSQL does not run as root
        if shutil.which("setpriv") is None or subprocess.run(["id", "postgres"], capture_output=True).returncode:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/graftrec_pg_XXXXXX"], text=True).strip())
        shutil.chown(folder, "postgres")
        as_server = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*as_server, programs / "initdb", "-D", data, "-A", "trust", "-U", "sweeper", "-N"], **quiet)
    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    control = [*as_server, programs / "pg_ctl", "-D", data]
    subprocess.run([*control, "-l", folder / "log", "-o", options, "-w", "start"], **quiet)
    try:
        yield f"postgresql+psycopg://sweeper@/postgres?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)


def test_machines_share_a_study_by_postgresql_alone(tmp_path: Path, postgresql: str) -> None:
    """Two processes that have no folder in common, one killed on the way."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    ledger(folders[0], 8, postgresql)
    one, two = (start(folder, 8, 0.05, postgresql) for folder in folders)
    while not (folders[0] / "done.txt").exists():
        assert one.poll() is None
        time.sleep(0.01)
    one.send_signal(signal.SIGKILL)
    assert two.wait(timeout=120) == 0
    study = ledger(folders[1], 8, postgresql)
    work(study, folders[1], 0)  # the killed one's trial, if the other had ended before
    done = (folders[0] / "done.txt").read_text() + (folders[1] / "done.txt").read_text()
    (folders[1] / "done.txt").write_text(done)
    check_exact(folders[1], 8, study)
