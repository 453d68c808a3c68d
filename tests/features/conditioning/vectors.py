"""Vectors as a decoder model gives them: one direction in common, few wide, many narrow."""

import numpy as np


def anisotropic(num: int, width: int, seed: int = 0) -> np.ndarray:
    """float32 [num, width] around a common mean of 3, deviations from 1 down to 0.05."""
    generator = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(generator.normal(size=(width, width)))
    spread = np.geomspace(1, 0.05, width)
    return (3 + (generator.normal(size=(num, width)) * spread) @ rotation).astype(np.float32)
