"""Vectors from any server with ``/v1/embeddings``: hosted models, vLLM, TEI, Ollama."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graftrec.errors import InputError
from graftrec.features.encoders.base import USUAL_WIDTH
from graftrec.features.server import Server, Stopped

BYTES_PER_TOKEN = 4  # of UTF-8, an estimate that fits English words and Chinese characters


@dataclass
class Tally:
    """What an encoder has sent in one encoding."""

    texts: int = 0
    cut_texts: int = 0
    cut_characters: int = 0
    tokens: int = 0  # as the server counted them


@dataclass(eq=False)
class OpenAICompatibleEncoder:
    """``concurrency`` requests at a time of at most ``batch_size`` texts, vectors put in the order of the texts.

    ``dimensions`` asks for shorter vectors, where the model can. ``normalize`` gives unit length.
    Texts longer than ``max_characters`` are cut, and counted. An answer that does not fit is refused.
    """

    server: Server
    model: str
    dimensions: int | None = None
    normalize: bool = True
    max_characters: int = 8000
    batch_size: int = 64
    concurrency: int = 4
    tally: Tally = field(default_factory=Tally, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("max_characters", "batch_size", "concurrency"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}={getattr(self, name)} must be >= 1.")

    @property
    def fingerprint(self) -> dict[str, object]:
        """What decides the vectors, as far as one can know from outside the server."""
        return {
            "encoder": "openai_compatible",
            "url": self.server.url.rstrip("/"),
            "model": self.model,
            "dimensions": self.dimensions,
            "normalize": self.normalize,
            "max_characters": self.max_characters,
        }

    @property
    def width(self) -> int:
        """As asked for, else the usual one: the server is not asked before there is something to encode."""
        return self.dimensions or USUAL_WIDTH

    def before(self, texts: Sequence[str]) -> str:
        """What will be sent where; refuses a missing key."""
        _ = self.server.key
        self.tally = Tally()
        tokens = sum(estimated_tokens(text[: self.max_characters]) for text in texts)
        return (
            f"{len(texts):,} texts, about {tokens:,.0f} tokens (estimated at {BYTES_PER_TOKEN} bytes each), "
            f"go to {self.model} at {self.server.url}"
        )

    def after(self) -> str:
        """What the server counted, and what was cut."""
        tally = self.tally
        counted = f"{self.server.url} counted {tally.tokens:,} tokens" if tally.tokens else "No tokens were counted"
        if not tally.cut_texts:
            return counted
        return (
            f"{counted}; {tally.cut_texts:,} of {tally.texts:,} texts were cut at max_characters="
            f"{self.max_characters:,}: {tally.cut_characters:,} characters were not sent"
        )

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [len(texts), F]."""
        long = [len(text) - self.max_characters for text in texts if len(text) > self.max_characters]
        self.tally.texts += len(texts)
        self.tally.cut_texts += len(long)
        self.tally.cut_characters += sum(long)
        short = [text[: self.max_characters] for text in texts]
        size = min(self.batch_size, -(-len(short) // self.concurrency)) or 1  # few texts keep all requests busy, too
        batches = [short[start : start + size] for start in range(0, len(short), size)]
        answers = self._answers(batches)
        self.tally.tokens += sum(tokens for _, tokens in answers)
        vectors = self._together([vectors for vectors, _ in answers])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, 1) if self.normalize else vectors

    def _answers(self, batches: Sequence[list[str]]) -> list[tuple[np.ndarray, int]]:
        executor = ThreadPoolExecutor(self.concurrency)
        try:
            futures = [executor.submit(self._answer, batch) for batch in batches]
            for future in as_completed(futures):
                failure = future.exception()
                if failure is not None and not isinstance(failure, Stopped):
                    raise failure
            return [future.result() for future in futures]
        finally:
            self.server.stopped.set()  # also where the user interrupts: threads that wait give up
            executor.shutdown(cancel_futures=True)
            self.server.stopped.clear()

    def _answer(self, texts: list[str]) -> tuple[np.ndarray, int]:
        """float32 [len(texts), F] of one request, and the tokens that the server counted."""
        body: dict[str, Any] = {"model": self.model, "input": texts, "encoding_format": "float"}
        body |= {} if self.dimensions is None else {"dimensions": self.dimensions}
        try:
            answer = self.server.post("embeddings", body, sum(map(estimated_tokens, texts)))
            return self._vectors(answer, len(texts)), _counted(answer)
        except BaseException:
            self.server.stopped.set()  # nothing more is sent, and paid for
            raise

    def _vectors(self, answer: dict[str, Any], count: int) -> np.ndarray:
        try:
            rows = {int(row["index"]): row["embedding"] for row in answer["data"]}
            if len(answer["data"]) != count or rows.keys() != set(range(count)):
                raise ValueError(f"{len(answer['data'])} vectors with {len(rows)} indices for {count} texts")
            vectors = np.array([rows[index] for index in range(count)], dtype=np.float32)
            if vectors.ndim != 2 or not np.isfinite(vectors).all():
                raise ValueError(f"an array of shape {vectors.shape} or numbers that are not finite")
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{self.server.url} answered what does not fit: {error!r}.") from error
        return vectors

    def _together(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """All vectors [n, F], of one width."""
        asked = set() if self.dimensions is None else {self.dimensions}
        widths = sorted({vectors.shape[1] for vectors in answers} | asked)
        if len(widths) > 1:
            raise InputError(
                f"{self.server.url} answered vectors of {' and '.join(map(str, widths))} numbers; expected one width, "
                f"that of dimensions={self.dimensions} where it is set."
            )
        return np.concatenate(answers) if answers else np.empty((0, self.width), dtype=np.float32)


def estimated_tokens(text: str) -> float:
    """About how many tokens a model reads in ``text``."""
    return len(text.encode()) / BYTES_PER_TOKEN


def _counted(answer: dict[str, Any]) -> int:
    usage = answer.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) else 0
