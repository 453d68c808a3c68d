"""What a generator of profiles is."""

from collections.abc import Iterator, Sequence
from typing import Protocol


class Generator(Protocol):
    """A language model that answers prompts.

    ``fingerprint`` holds everything that decides the answers but the prompt: it is part of the cache key.
    """

    @property
    def fingerprint(self) -> dict[str, object]: ...

    def before(self, prompts: Sequence[str]) -> str:
        """What the user should know before the long work; refuses what can be refused at once."""
        ...

    def __call__(self, prompts: Sequence[str], attempt: int) -> Iterator[tuple[int, str]]:
        """(number of a prompt, its answer) as soon as there is one; another answer at every ``attempt`` from 0."""
        ...
