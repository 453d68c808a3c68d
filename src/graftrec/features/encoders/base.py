"""What a text encoder is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import numpy as np

USUAL_WIDTH = 768  # told where the width is known only after a model was fetched or a server asked


class TextEncoder(Protocol):
    """Sentences to vectors, deterministic for equal text.

    ``fingerprint`` holds everything that decides the vectors (weights, pooling, precision ...): it is
    part of the cache key, so that no stale vector is ever served.
    """

    @property
    def fingerprint(self) -> dict[str, object]: ...

    @property
    def width(self) -> int:
        """F, the numbers in a vector, told without long work."""
        ...

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [len(texts), F]."""
        ...


@runtime_checkable
class Commenting(Protocol):
    """A text encoder that has something to tell about an encoding."""

    def before(self, texts: Sequence[str]) -> str | None:
        """What the user should know before all ``texts`` are encoded."""
        ...

    def after(self) -> str | None:
        """What the user should know of the texts that were encoded."""
        ...


@contextmanager
def commented(encoder: TextEncoder, texts: Sequence[str]) -> Iterator[None]:
    """Around the encoding of ``texts``, in whatever chunks: prints what the encoder has to tell."""
    speaker = encoder if texts and isinstance(encoder, Commenting) else None
    if speaker is not None and (message := speaker.before(texts)):
        print(message, flush=True)
    yield
    if speaker is not None and (message := speaker.after()):
        print(message, flush=True)
