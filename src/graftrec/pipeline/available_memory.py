"""How much memory this process may still take."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

GIB: Final = 2**30
VERSIONS: Final = {  # by the controllers of a line in /proc/self/cgroup: folder, limit, usage
    "": (".", "memory.max", "memory.current"),
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
}


def available_memory_gib(
    on_gpu: bool = False, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> float | None:
    """GiB that are free on the GPU, or on the machine within the limits of the process's control groups.

    None where nothing tells: the files of ``proc`` and ``cgroups`` are Linux's.
    """
    if on_gpu:
        import torch

        return torch.cuda.mem_get_info()[0] / GIB
    free = [*_of_machine(proc), *_of_groups(proc, cgroups)]
    return min(free) / GIB if free else None


def _of_machine(proc: Path) -> Iterator[int]:
    """Bytes that programs can get without swapping."""
    with suppress(OSError, IndexError, ValueError):
        yield 1024 * int((proc / "meminfo").read_text().split("MemAvailable:")[1].split()[0])


def _of_groups(proc: Path, cgroups: Path) -> Iterator[int]:
    """Bytes up to the limit of each control group that the process is in, of either version."""
    with suppress(OSError):
        groups = [line.split(":", 2) for line in (proc / "self" / "cgroup").read_text().splitlines()]
        for _, controllers, name in groups:
            if controllers in VERSIONS:
                mount, limit, usage = VERSIONS[controllers]
                root = cgroups / mount
                own = root / name.lstrip("/")
                for folder in (own, *(parent for parent in own.parents if parent.is_relative_to(root))):
                    yield from _of_group(folder, limit, usage)


def _of_group(folder: Path, limit: str, usage: str) -> Iterator[int]:
    """The limit less what is used; cached files do not count, they make room. Nothing without a limit ("max")."""
    with suppress(OSError, ValueError):
        counts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        cached = int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))
        yield int((folder / limit).read_text()) - int((folder / usage).read_text()) + cached
