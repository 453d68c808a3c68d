"""Against a real server on this machine that answers well or badly."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from graftrec.errors import InputError
from graftrec.features.profiles.answers import Answers
from graftrec.features.profiles.chat import ChatGenerator
from graftrec.features.server import Server

PROMPTS = [f"Describe item {number}" for number in range(12)]


class Chat:
    """``faults``: statuses, or bodies, of the first requests; later ones get the prompt in capital letters."""

    def __init__(self, *faults: Any) -> None:
        self.faults, self.requests, self.url = list(faults), [], ""

    def reply(self, body: dict[str, Any]) -> tuple[int, bytes]:
        self.requests.append(body)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return fault, b"{}"
        content = body["messages"][0]["content"].upper()
        return 200, json.dumps(fault or {"choices": [{"message": {"content": content}}]}).encode()


@contextmanager
def serving(chat: Chat) -> Iterator[Chat]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                status, content = chat.reply(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    chat.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()


def generator(chat: Chat, **settings: Any) -> ChatGenerator:
    return ChatGenerator(Server(chat.url, retries=3), "some-model", **settings)


@pytest.mark.parametrize("faults", [(), (429, 500, 503)], ids=["well", "badly"])
def test_each_answer_belongs_to_its_prompt(faults: tuple[int, ...]) -> None:
    with serving(Chat(*faults)) as chat:
        answers = dict(generator(chat)(PROMPTS, 0))
    assert answers == {row: prompt.upper() for row, prompt in enumerate(PROMPTS)}
    assert len(chat.requests) == len(PROMPTS) + len(faults)


def test_a_request_is_one_prompt_likeliest_first_then_sampled() -> None:
    with serving(Chat()) as chat:
        for attempt in (0, 2):
            dict(generator(chat, max_new_tokens=7)(["Who?"], attempt))
    messages = {"model": "some-model", "messages": [{"role": "user", "content": "Who?"}], "max_tokens": 7}
    assert chat.requests == [
        {**messages, "temperature": 0.0, "seed": 0},
        {**messages, "temperature": 0.8, "seed": 2},
    ]


def test_answers_before_a_refusal_are_kept_and_the_rest_is_asked_later(tmp_path: Path) -> None:
    with serving(Chat(None, None, None, 401)) as chat:
        one_by_one = generator(chat, concurrency=1)
        with pytest.raises(InputError, match="refused the request: status 401"):
            Answers(tmp_path).get(one_by_one, PROMPTS, str, "Test")
        assert len(chat.requests) == 4  # nothing was sent after it
        outcomes = Answers(tmp_path).get(one_by_one, PROMPTS, str, "Test")
    assert [outcome.text for outcome in outcomes] == [prompt.upper() for prompt in PROMPTS]
    assert len(chat.requests) == 4 + 9


@pytest.mark.parametrize("body", [{"choices": []}, {"error": "x"}, {"choices": [{"message": None}]}], ids=str)
def test_an_answer_of_another_form_is_refused(body: dict[str, Any]) -> None:
    with (
        serving(Chat(body)) as chat,
        pytest.raises(InputError, match="what is no chat completion"),
    ):
        dict(generator(chat)(["Who?"], 0))


def test_an_empty_answer_is_an_empty_text() -> None:
    with serving(Chat({"choices": [{"message": {"content": None}}]})) as chat:
        assert dict(generator(chat)(["Who?"], 0)) == {0: ""}


def test_tokens_are_told_before_anything_is_sent_and_a_missing_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = ChatGenerator(Server("http://localhost:1/v1", key_variable="NO_SUCH_KEY"), "m", max_new_tokens=10)
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(InputError, match="NO_SUCH_KEY holds no key"):
        chat.before(PROMPTS)
    monkeypatch.setenv("NO_SUCH_KEY", "secret")
    message = chat.before(["four" * 5, "four"])
    assert "2 prompts of about 6 tokens" in message
    assert "at most 20 tokens of answers" in message
