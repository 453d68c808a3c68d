"""Requests to an OpenAI-compatible server: paced, retried, with a key that is never shown."""

import os
import threading
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from graftrec.errors import InputError

LONGEST_WAIT = 60.0  # seconds between two tries
TRANSIENT = (408, 425, 429)  # and all from 500 on


class Stopped(Exception):
    """Another request failed for good: this one is not sent."""


class Pace:
    """At most ``per_minute`` units a minute, evenly spaced, over all threads."""

    def __init__(self, per_minute: float | None) -> None:
        self._seconds = 0.0 if per_minute is None else 60 / per_minute
        self._free_at = 0.0
        self._lock = threading.Lock()

    def reserve(self, units: float = 1.0) -> float:
        """Seconds to wait before ``units`` may go."""
        with self._lock:
            start = max(self._free_at, time.monotonic())
            self._free_at = start + units * self._seconds
            return start - time.monotonic()

    def pause(self, seconds: float) -> None:
        """Nothing goes for ``seconds``."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic() + seconds)


@dataclass(frozen=True)
class Server:
    """``url``: the address with its version, such as ``https://api.openai.com/v1``.

    ``key_variable`` names the environment variable with the key, null where the server asks for none.
    Time-outs, refused connections, 429 and 5xx are tried again up to ``retries`` times, after the seconds
    that the server asks for or 0.5, 1, 2 ... up to 60. ``timeout`` is in seconds without an answer.
    """

    url: str
    key_variable: str | None = None
    timeout: float = 60.0
    retries: int = 6
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    stopped: threading.Event = field(default_factory=threading.Event, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise InputError(f"server.url={self.url!r} is no address; expected such as http://localhost:8000/v1.")
        if address.username or address.password or address.query:
            raise InputError("server.url holds a name, a password or a query; give a key by server.key_variable alone.")
        for name in ("requests_per_minute", "tokens_per_minute"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InputError(f"server.{name}={value} must be above 0; null: no limit.")
        _ = self._paces  # made before threads share them

    @cached_property
    def _paces(self) -> tuple[Pace, Pace]:
        return Pace(self.requests_per_minute), Pace(self.tokens_per_minute)

    @cached_property
    def _session(self) -> Any:
        import requests

        return requests.Session()

    @property
    def key(self) -> str | None:
        """From the environment; refused where it is not set."""
        if self.key_variable is None:
            return None
        key = os.environ.get(self.key_variable, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise InputError(
                f"The environment variable {self.key_variable} holds no key for {self.url}; set it, or set "
                f"server.key_variable=null for a server that asks for none."
            )
        return key

    def post(self, path: str, body: dict[str, Any], tokens: float = 0.0) -> dict[str, Any]:
        """The JSON object that answers ``body``, about ``tokens`` long; may be called from several threads."""
        problem = ""
        for attempt in range(self.retries + 1):
            self._wait(max(self._paces[0].reserve(), self._paces[1].reserve(tokens)))
            answer, problem, wait = self._try(path, body)
            if answer is not None:
                return answer
            if attempt < self.retries:
                self._pause(wait if wait is not None else min(0.5 * 2**attempt, LONGEST_WAIT), wait is not None)
        raise InputError(f"{self.url}/{path} gave no answer in {self.retries + 1} tries; the last one: {problem}.")

    def _try(self, path: str, body: dict[str, Any]) -> tuple[dict[str, Any] | None, str, float | None]:
        """The answer, or what was wrong and the seconds that the server asks to wait."""
        import requests

        key = self.key
        authorise = None if key is None else _Bearer(key)
        address = f"{self.url.rstrip('/')}/{path}"
        try:
            reply = self._session.post(address, json=body, auth=authorise, timeout=self.timeout, allow_redirects=False)
        except (requests.Timeout, requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            return None, type(error).__name__, None
        if reply.status_code != 200:
            problem = f"status {reply.status_code}, {_hidden(reply.text[:300], key)!r}"
            if reply.status_code < 500 and reply.status_code not in TRANSIENT:
                raise InputError(f"{address} refused the request: {problem}.")
            return None, problem, _seconds(reply.headers.get("Retry-After"))
        try:
            answer = reply.json()
        except ValueError:
            return None, f"no JSON but {_hidden(reply.text[:100], key)!r}", None
        return (answer, "", None) if isinstance(answer, dict) else (None, f"JSON of {type(answer).__name__}", None)

    def _pause(self, seconds: float, everyone: bool) -> None:
        if everyone:  # the server named a time: other threads would only be refused, too
            self._paces[0].pause(seconds)
        else:
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        if self.stopped.wait(max(seconds, 0.0)):
            raise Stopped


@dataclass(frozen=True)
class _Bearer:
    """Puts the key into a request; as ``auth`` it is not overruled by a .netrc file."""

    key: str = field(repr=False)

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self.key}"
        return request


def _hidden(text: str, key: str | None) -> str:
    return text if key is None else text.replace(key, "***")


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After`` in seconds or as a date (RFC 9110, 10.2.3), at most LONGEST_WAIT."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None
