"""Files of (text digests, vectors), read through memory maps: what the feature store is made of."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from graftrec.data.files import written
from graftrec.errors import InputError

SHARD_BYTES = 2**27  # of vectors in a merged shard: what is in memory at a time
SMALL_SHARDS = 32  # so many are merged


class ShardGone(Exception):
    """Merged into another shard by another process since the folder was listed: list it again."""


def digests(texts: Iterable[str]) -> np.ndarray:
    """SHA-256 of each text, 32 bytes each [n]."""
    return np.frombuffer(b"".join(hashlib.sha256(text.encode()).digest() for text in texts), dtype="S32")


def write_shard(folder: Path, keys: np.ndarray, vectors: np.ndarray) -> Path:
    """Writes ``vectors`` [n, F] of the digests ``keys`` [n], whole or not at all; equal keys give an equal name."""
    from safetensors.numpy import save_file

    path = folder / f"{hashlib.sha256(keys.tobytes().hex().encode()).hexdigest()[:32]}.safetensors"
    rows = np.frombuffer(keys.tobytes(), dtype=np.uint8).reshape(-1, 32)
    with written(path, "paths.cache") as partial:
        save_file({"digests": rows, "vectors": np.ascontiguousarray(vectors)}, partial)
    return path


@dataclass(frozen=True, eq=False)
class Shards:
    """All shards of a folder. A vector's position is its row in all of them, one below the other."""

    paths: list[Path]
    keys: list[np.ndarray]  # digests of each shard
    width: int  # F; 0 without shards
    dtype: np.dtype

    @classmethod
    def of(cls, folder: Path) -> "Shards":
        """Reads the digests alone; refuses a damaged file and vectors of several widths."""
        paths = sorted(path for path in folder.glob("*.safetensors") if path.is_file())
        keys: list[np.ndarray] = []
        widths: dict[int, Path] = {}
        dtype = np.dtype(np.float32)
        for path in paths:
            shard_keys, vectors = _open(path)
            keys.append(shard_keys)
            widths.setdefault(vectors.shape[1], path)
            dtype = vectors.dtype
        if len(widths) > 1:
            raise InputError(
                f"The feature cache {folder} holds vectors of {' and '.join(map(str, widths))} numbers: the model "
                f"behind one name has changed; remove it: graftrec features rm {folder.name}"
            )
        return cls(paths, keys, next(iter(widths), 0), dtype)

    @cached_property
    def starts(self) -> np.ndarray:
        """Position of each shard's first row, and the number of all rows [shards + 1]."""
        return np.cumsum([0, *map(len, self.keys)])

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        keys = np.concatenate([np.empty(0, dtype="S32"), *self.keys])
        order = np.argsort(keys, kind="stable")
        return keys[order], order

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Digests, sorted, and the position of each one's first vector."""
        keys, first = np.unique(self._sorted[0], return_index=True)
        return keys, self._sorted[1][first]

    def find(self, wanted: np.ndarray) -> np.ndarray:
        """Positions of the digests ``wanted``, int64 [n]; -1 where there is no vector."""
        keys, order = self._sorted
        if not len(keys):
            return np.full(len(wanted), -1)
        near = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
        return np.where(keys[near] == wanted, order[near], -1)

    def gather(self, positions: np.ndarray, dtype: type | np.dtype = np.float32) -> np.ndarray:
        """Vectors [n, F] at ``positions``; one shard is mapped at a time."""
        gathered = np.empty((len(positions), self.width), dtype=dtype)
        order = np.argsort(positions, kind="stable")
        bounds = np.searchsorted(positions[order], self.starts)
        for path, start, low, high in zip(self.paths, self.starts, bounds, bounds[1:], strict=False):
            if high > low:
                rows = order[low:high]
                gathered[rows] = _open(path)[1][positions[rows] - start]
        return gathered


def merge_small_shards(folder: Path) -> None:
    """Many small shards become few large ones. Old files go once the new ones are there, so that none is ever lost."""
    shards = Shards.of(folder)
    row_bytes = max(1, shards.width * shards.dtype.itemsize)
    sizes = np.diff(shards.starts) * row_bytes
    small = np.flatnonzero(sizes < SHARD_BYTES / 2)
    if len(small) < SMALL_SHARDS:
        return
    chosen = Shards([shards.paths[n] for n in small], [shards.keys[n] for n in small], shards.width, shards.dtype)
    keys, positions = chosen.distinct()
    new = set()
    for start in range(0, len(keys), rows := max(1, SHARD_BYTES // row_bytes)):
        block = slice(start, start + rows)
        new.add(write_shard(folder, keys[block], chosen.gather(positions[block], shards.dtype)))
    for path in set(chosen.paths) - new:
        path.unlink(missing_ok=True)


def _open(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Digests [n] in memory and vectors [n, F] as a memory map, which outlives the file's name."""
    from safetensors.torch import load_file  # maps the file, where its sister for NumPy reads it

    try:
        tensors = load_file(path)
        rows, vectors = tensors["digests"].numpy(), tensors["vectors"].numpy()
        if rows.ndim != 2 or vectors.ndim != 2 or rows.shape != (len(vectors), 32):
            raise ValueError(f"digests of shape {rows.shape} beside vectors of shape {vectors.shape}")
        return np.frombuffer(rows.tobytes(), dtype="S32"), vectors
    except FileNotFoundError as error:
        raise ShardGone(path) from error
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(
            f"The file {path} of the feature cache is damaged ({error}); delete it: its texts are encoded again."
        ) from error
