"""Vectors into files that ``PrecomputedFeatures`` reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graftrec.data.files import written
from graftrec.errors import InputError

ENDINGS = (".parquet", ".npy", ".safetensors")


def check_ending(path: Path) -> None:
    """Refuse a file of another kind, before anything is read for it."""
    if path.suffix not in ENDINGS:
        raise InputError(f"{path} has the unknown ending {path.suffix!r}; expected one of {', '.join(ENDINGS)}.")


def write_vectors(path: Path, ids: Sequence[Any], vectors: np.ndarray) -> None:
    """float32 ``vectors`` [n, F] of ``ids`` [n].

    ``.parquet``: columns ``id`` and ``vector``; ``.npy``, ``.safetensors``: a matrix, and beside it
    ``<file>.ids.txt``, one id a line.
    """
    check_ending(path)
    with written(path, "the file's folder") as partial:
        _WRITERS[path.suffix](partial, ids, vectors)
    if path.suffix != ".parquet":
        with written(path.with_name(path.name + ".ids.txt"), "the file's folder") as partial:
            partial.write_text("".join(f"{name}\n" for name in ids), "utf-8")


def _parquet(path: Path, ids: Sequence[Any], vectors: np.ndarray) -> None:
    import polars as pl

    lists = pl.Series("vector", vectors).arr.to_list()
    pl.DataFrame({"id": ids, "vector": lists}).write_parquet(path)


def _npy(path: Path, ids: Sequence[Any], vectors: np.ndarray) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array(file, vectors, allow_pickle=False)


def _safetensors(path: Path, ids: Sequence[Any], vectors: np.ndarray) -> None:
    from safetensors.numpy import save_file

    save_file({"vectors": np.ascontiguousarray(vectors)}, path)


_WRITERS = {".parquet": _parquet, ".npy": _npy, ".safetensors": _safetensors}
