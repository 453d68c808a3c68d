"""Time and peak memory of each stage of a run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from graftrec.training.peak_memory import peak_memory_gib, reset_peak


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
    def __call__(self, name: str, before: float = 0.0) -> Iterator[None]:
        """``before``: seconds that an interrupted process spent on it."""
        reset_peak()
        start = time.perf_counter()
        yield
        self.done.append(Stage(name, before + time.perf_counter() - start, peak_memory_gib()))

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Plain numbers by stage, for json."""
        return {s.name: {"seconds": round(s.seconds, 3), "peak_gib": round(s.peak_gib, 3)} for s in self.done}
