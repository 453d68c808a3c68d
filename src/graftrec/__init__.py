"""graftrec: graft a language model's knowledge onto an interaction graph.

Importing the package is cheap; ``load_run`` brings in the heavy libraries when it is first used.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load_run"]


def __getattr__(name: str) -> Any:
    if name == "load_run":
        from graftrec.pipeline.run import load_run

        return load_run
    raise AttributeError(f"module 'graftrec' has no attribute {name!r}")
