"""Answers of any server with ``/v1/chat/completions``: hosted models, vLLM, Ollama."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from graftrec.errors import InputError
from graftrec.features.encoders.openai_compatible import BYTES_PER_TOKEN, estimated_tokens
from graftrec.features.server import Server, Stopped


@dataclass(frozen=True, eq=False)
class ChatGenerator:
    """``concurrency`` requests at a time, one a prompt; temperature 0 at the first attempt, 0.8 at later ones."""

    server: Server
    model: str
    max_new_tokens: int = 200
    concurrency: int = 4

    @property
    def fingerprint(self) -> dict[str, object]:
        """What decides the answers, as far as one can know from outside the server."""
        address = {"url": self.server.url.rstrip("/"), "model": self.model}
        return {"generator": "openai_compatible", **address, "max_new_tokens": self.max_new_tokens}

    def before(self, prompts: Sequence[str]) -> str:
        """What will be sent where; refuses a missing key."""
        _ = self.server.key
        tokens = sum(map(estimated_tokens, prompts))
        return (
            f"{len(prompts):,} prompts of about {tokens:,.0f} tokens (estimated at {BYTES_PER_TOKEN} bytes each) go to "
            f"{self.model} at {self.server.url}, at most {len(prompts) * self.max_new_tokens:,} tokens of answers"
        )

    def __call__(self, prompts: Sequence[str], attempt: int) -> Iterator[tuple[int, str]]:
        executor = ThreadPoolExecutor(self.concurrency)
        try:
            futures = {executor.submit(self._answer, prompt, attempt): row for row, prompt in enumerate(prompts)}
            failure = None
            for future in as_completed(futures):
                error = future.exception()
                if error is None:
                    yield futures[future], future.result()
                elif not isinstance(error, Stopped):
                    failure = failure or error  # answers that are on their way are still kept
            if failure is not None:
                raise failure
        finally:
            self.server.stopped.set()  # also where the user interrupts: threads that wait give up
            executor.shutdown(cancel_futures=True)
            self.server.stopped.clear()

    def _answer(self, prompt: str, attempt: int) -> str:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": self.max_new_tokens,
            "temperature": 0.8 if attempt else 0.0,
            "seed": attempt,
        }
        try:
            if self.server.stopped.is_set():
                raise Stopped
            answer = self.server.post("chat/completions", body, estimated_tokens(prompt) + self.max_new_tokens)
            return str(answer["choices"][0]["message"]["content"] or "").strip()
        except (KeyError, IndexError, TypeError) as error:
            self.server.stopped.set()
            raise InputError(
                f"{self.server.url} answered what is no chat completion ({error!r}); check "
                f"profile.generator.server.url and profile.generator.model."
            ) from error
        except BaseException:
            self.server.stopped.set()  # nothing more is sent, and paid for
            raise
