"""The largest memory that this process has held."""

import resource
from contextlib import suppress
from pathlib import Path


def peak_memory_gib() -> float:
    """Largest resident memory since ``reset_peak`` (since the start where the kernel can't tell)."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 2**20
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def reset_peak() -> None:
    """Begin anew."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM: proc(5)
