"""Freed memory is kept for the next step, where the C library allows it."""

import ctypes
import sys

# Names and numbers of glibc's malloc.h.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Tell glibc to reuse freed memory instead of returning it to the system; False on other C libraries.

    A training step frees and asks again for tensors of many MiB. By default each of them is mapped anew, and
    every page of it faults once: often more time than the arithmetic. The price is that the process keeps
    its peak memory until it ends. Set ``keep_freed_memory=false`` to leave the allocator alone.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    settings = {MMAP_MAX: 0, TRIM_THRESHOLD: 2**31 - 1, TOP_PAD: 64 * 2**20}
    applied = [bool(mallopt(name, value)) for name, value in settings.items()]
    return all(applied)
