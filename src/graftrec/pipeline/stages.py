"""Time and peak memory of each stage of a run."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    name: str
    seconds: float
    peak_gib: float  # largest resident memory of the process during the stage


@dataclass
class Stages:
    """``with stages("read"): ...`` for every stage; what they took is in ``done``."""

    done: list[Stage] = field(default_factory=list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        _reset_peak()
        start = time.perf_counter()
        yield
        self.done.append(Stage(name, time.perf_counter() - start, peak_memory_gib()))

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Plain numbers by stage, for json."""
        return {s.name: {"seconds": round(s.seconds, 3), "peak_gib": round(s.peak_gib, 3)} for s in self.done}


def peak_memory_gib() -> float:
    """Largest resident memory since the last stage began (since the start where the kernel can't tell)."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 2**20
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _reset_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM: proc(5)
