"""Random vectors: the control that shows what a text's meaning adds to a vector of its own."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class RandomEncoder:
    """Directions uniform on the unit sphere, drawn from the text's own hash: equal texts have equal vectors."""

    dim: int = 384

    @property
    def fingerprint(self) -> dict[str, object]:
        return {"encoder": "random", **asdict(self)}

    @property
    def width(self) -> int:
        return self.dim

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        seeds = (int.from_bytes(hashlib.sha256(text.encode()).digest()) for text in texts)
        rows = [np.random.default_rng(seed).standard_normal(self.dim) for seed in seeds]
        vectors = np.array(rows).reshape(len(texts), self.dim)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
