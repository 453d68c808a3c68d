"""Vectors on disk, found again by the encoder and the text that made them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from graftrec.data.files import check_writable, written
from graftrec.errors import InputError
from graftrec.features.encoders.base import TextEncoder, commented


@dataclass(frozen=True)
class FeatureStore:
    """A folder per encoder fingerprint; in it shards of (text digests, vectors).

    Only texts without a vector are encoded. A shard is written when its chunk is done, under a
    temporary name first, so an interrupted run loses at most one chunk.
    """

    folder: Path
    chunk_size: int = 512  # texts a shard

    def get(self, encoder: TextEncoder, texts: Sequence[str]) -> np.ndarray:
        """Vectors of ``texts``, float32 [n, F], from the cache where it has them."""
        folder = self.folder / _digest(json.dumps(encoder.fingerprint, sort_keys=True))[:32]
        unique = sorted(set(texts), key=lambda text: (len(text), text))  # alike lengths share a chunk
        known = _read_shards(folder)
        chunks = [unique[start : start + self.chunk_size] for start in range(0, len(unique), self.chunk_size)]
        missing = [[text for text in chunk if _digest(text) not in known] for chunk in chunks]
        if any(missing):
            check_writable(folder, "paths.cache")
        with commented(encoder, [text for chunk in missing for text in chunk]):
            for chunk in _progress([chunk for chunk in missing if chunk], sum(map(len, missing))):
                vectors = encoder(chunk)
                digests = [_digest(text) for text in chunk]
                _write_shard(folder, digests, vectors)
                known.update(zip(digests, vectors, strict=True))
        return np.stack([known[_digest(text)] for text in texts])


def _progress(chunks: list[list[str]], total: int) -> Iterator[list[str]]:
    """The chunks, with a progress bar in texts; silent where nothing is to be encoded."""
    if not chunks:
        return
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    with Progress(*Progress.get_default_columns()[:3], MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("Encoding texts", total=total)
        for chunk in chunks:
            yield chunk
            bar.advance(task, len(chunk))


def _read_shards(folder: Path) -> dict[str, np.ndarray]:
    known: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            shard = load_file(path)
            known.update(zip((row.tobytes().hex() for row in shard["digests"]), shard["vectors"], strict=True))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise InputError(
                f"The file {path} of the feature cache is damaged ({error}); delete it: its texts are encoded again."
            ) from error
    return known


def _write_shard(folder: Path, digests: list[str], vectors: np.ndarray) -> None:
    rows = np.stack([np.frombuffer(bytes.fromhex(digest), dtype=np.uint8) for digest in digests])
    name = _digest("".join(digests))[:32]
    with written(folder / f"{name}.safetensors", "paths.cache") as partial:
        save_file({"digests": rows, "vectors": np.ascontiguousarray(vectors, dtype=np.float32)}, partial)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
