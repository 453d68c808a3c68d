"""Vectors on disk, found again by the encoder and the text that made them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graftrec.data.files import check_writable
from graftrec.errors import InputError, check_choice
from graftrec.features.encoders.base import TextEncoder, commented
from graftrec.features.lock import locked
from graftrec.features.progress import progress
from graftrec.features.shards import ShardGone, Shards, digests, merge_small_shards, write_shard
from graftrec.features.stored import note_use

DTYPES = ("float32", "float16")
CHUNK_CHARACTERS = 2**16  # of a chunk, so that an interruption costs little with long texts, too


@dataclass(frozen=True)
class FeatureStore:
    """A folder per encoder fingerprint; in it shards of (text digests, vectors) and ``encoder.json``.

    Only texts without a vector are encoded, equal ones once, in chunks of alike lengths. A shard is written when
    its chunk is done, so an interrupted run loses at most one chunk. One process at a time encodes for a folder;
    another one waits and finds its texts encoded. ``dtype`` float16 halves the files (relative error 5e-4); it is
    part of the folder's key, so that features never depend on what was cached before.
    """

    folder: Path | str
    chunk_size: int = 512  # texts a shard, at most
    dtype: str = "float32"

    def __post_init__(self) -> None:
        check_choice("store.dtype", self.dtype, DTYPES)

    def get(self, encoder: TextEncoder, texts: Sequence[str]) -> np.ndarray:
        """Vectors of ``texts``, float32 [n, F], from the cache where it has them."""
        folder, wanted = self.path(encoder), digests(texts)
        while True:
            try:
                shards = Shards.of(folder)
                positions = shards.find(wanted)
                if (positions >= 0).all():
                    note_use(folder, encoder)
                    return shards.gather(positions)
            except ShardGone:
                continue
            self._encode(encoder, folder, texts, wanted)

    def path(self, encoder: TextEncoder) -> Path:
        """The folder of an encoder's vectors."""
        stored = {} if self.dtype == "float32" else {"stored": self.dtype}
        settings = json.dumps({**encoder.fingerprint, **stored}, sort_keys=True)
        return Path(self.folder).expanduser() / hashlib.sha256(settings.encode()).hexdigest()[:32]

    def _encode(self, encoder: TextEncoder, folder: Path, texts: Sequence[str], wanted: np.ndarray) -> None:
        check_writable(folder, "paths.cache")
        with locked(folder):
            # Shards by a process that was killed: this one holds the lock, without which others write smaller files.
            for left_over in folder.glob(".*.safetensors.*.partial"):
                left_over.unlink()
            shards = Shards.of(folder)
            unknown = {texts[row] for row in np.flatnonzero(shards.find(wanted) < 0).tolist()}
            missing = sorted(unknown, key=lambda text: (len(text), text))
            if not missing:
                return
            note_use(folder, encoder)
            width = shards.width
            bar = progress("Encoding texts", len(missing), sum(map(len, missing)))
            with commented(encoder, missing), bar as advance:
                for chunk in self._chunks(missing):
                    vectors = self._vectors(encoder, chunk, width)
                    width = vectors.shape[1]
                    write_shard(folder, digests(chunk), vectors)
                    advance(len(chunk), sum(map(len, chunk)))
            merge_small_shards(folder)

    def _chunks(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """From the start, so that a run which is continued cuts the rest as the first one would have."""
        chunk: list[str] = []
        characters = 0
        for text in texts:
            if chunk and (len(chunk) == self.chunk_size or characters + len(text) > CHUNK_CHARACTERS):
                yield chunk
                chunk, characters = [], 0
            chunk.append(text)
            characters += len(text)
        if chunk:
            yield chunk

    def _vectors(self, encoder: TextEncoder, chunk: list[str], width: int) -> np.ndarray:
        vectors = np.asarray(encoder(chunk))
        if vectors.ndim != 2 or len(vectors) != len(chunk) or width not in (0, vectors.shape[1]):
            raise InputError(
                f"The encoder {encoder.fingerprint.get('encoder')} gave an array of shape {vectors.shape} for "
                f"{len(chunk):,} texts; expected {(len(chunk), width or 'F')}, one vector a text, as wide as before."
            )
        with np.errstate(over="ignore"):
            stored = vectors.astype(self.dtype)
        finite = np.isfinite(stored).all(axis=1)
        if not finite.all():
            text = chunk[int(finite.argmin())]
            raise InputError(
                f"The encoder {encoder.fingerprint.get('encoder')} gave numbers that are not finite in "
                f"{self.dtype} for {(~finite).sum():,} texts "
                f"(first: {text[:60]!r}); set store.dtype=float32 or another encoder dtype."
            )
        return stored
