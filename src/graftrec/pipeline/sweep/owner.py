"""Who works on a trial: a process of a machine, and whether it still lives."""

import ctypes
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class Owner:
    """A process; ``started`` tells it from a later one with the same number."""

    host: str
    pid: int
    started: str

    @classmethod
    def me(cls) -> "Owner":
        return cls(socket.gethostname(), os.getpid(), _started(os.getpid()))

    @classmethod
    def read(cls, text: str) -> "Owner":
        host, pid, started = text.rsplit("/", 2)
        return cls(host, int(pid), started)

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}/{self.started}"

    @property
    def here(self) -> bool:
        """Whether it is a process of this machine."""
        return self.host == socket.gethostname()

    def lives(self) -> bool:
        """Whether this process of this machine still runs."""
        return _started(self.pid) == self.started


def _started(pid: int) -> str:
    """Start of a process in clock ticks since boot (proc(5)); "" where there is none, or only its zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def end_with(owner: Owner) -> None:
    """Let a job end when the sweep that started it is killed, before it begins too: its trial is then tried again.

    joblib's workers outlive the sweep by minutes; the process of another launcher is only kept from beginning.
    """
    if not owner.here:
        return
    if os.getppid() == owner.pid and sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if not owner.lives():
        os.kill(os.getpid(), signal.SIGKILL)
