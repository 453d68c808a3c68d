"""Freed memory is mapped anew by default, and reused when asked."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import torch
from graftrec.pipeline.allocator import keep_freed_memory
if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit(3)
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def allocate():
    for _ in range(10):
        torch.ones(10_000_000)
allocate()
before = faults()
allocate()
print((faults() - before) * resource.getpagesize() / 4e7)  # tensors' worth of pages
"""


def tensors_mapped(mode: str) -> float:
    """How many of ten tensors of 40 MB were mapped anew, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip("this C library has no mallopt")
    return float(done.stdout)


def test_freed_memory_is_reused() -> None:
    assert tensors_mapped("kept") < 2 < tensors_mapped("default")
