import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graftrec.errors import InputError
from graftrec.features.encoders.openai_compatible import OpenAICompatibleEncoder
from graftrec.features.server import Server
from graftrec.features.store import FeatureStore
from tests.features.misbehaving_server import Script, embedding, serving

TEXTS = [f"{'a' * (number % 5)} title {number}" for number in range(23)]
EXPECTED = np.array([embedding(text) for text in TEXTS], dtype=np.float32)
Start = Callable[..., Script]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server with the settings of its script."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(serving(Script(**settings)))


def encoder(script: Script, server: dict[str, Any] | None = None, **settings: Any) -> OpenAICompatibleEncoder:
    """Vectors as the server gives them; five texts a request, one request at a time."""
    chosen = {"normalize": False, "batch_size": 5, "concurrency": 1, **settings}
    return OpenAICompatibleEncoder(Server(script.url, **{"timeout": 5, **(server or {})}), "some-model", **chosen)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_vectors_stand_in_the_order_of_the_texts(concurrency: int, start: Start) -> None:
    vectors = encoder(start(seconds=0.01), concurrency=concurrency)(TEXTS)
    np.testing.assert_array_equal(vectors, EXPECTED)
    assert vectors.dtype == np.float32


def test_normalized_vectors_have_unit_length(start: Start) -> None:
    expected = EXPECTED / np.linalg.norm(EXPECTED, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder(start(), normalize=True)(TEXTS), expected, rtol=1e-6)


def test_a_request_holds_at_most_a_batch_and_names_model_and_width(start: Start) -> None:
    script = start()
    encoder(script, dimensions=3)(TEXTS)
    assert [len(body["input"]) for body in script.requests] == [5, 5, 5, 5, 3]
    rest = {key: value for key, value in script.requests[0].items() if key != "input"}
    assert rest == {"model": "some-model", "encoding_format": "float", "dimensions": 3}


def test_requests_go_out_together_and_few_texts_are_spread_over_them(start: Start) -> None:
    script = start(seconds=0.3)
    encoder(script, batch_size=64, concurrency=4)(TEXTS)
    assert (sorted(len(body["input"]) for body in script.requests), script.at_once) == ([5, 6, 6, 6], 4)


@pytest.mark.parametrize("fault", ["429", "500", "503", "no json", "disconnect", "late"])
def test_what_passes_is_tried_again(fault: str, start: Start) -> None:
    script = start(faults=["", fault], headers={"Retry-After": "0"})
    vectors = encoder(script, {"timeout": 0.5})(TEXTS)
    np.testing.assert_array_equal(vectors, EXPECTED)
    assert len(script.requests) == 6


def test_the_server_says_when_to_try_again(start: Start) -> None:
    script = start(faults=["429"], headers={"Retry-After": "1"})
    encoder(script)(TEXTS[:3])
    assert 1 <= script.times[1] - script.times[0] < 3


def test_waits_double_from_half_a_second(start: Start) -> None:
    script = start(faults=["500", "500"])
    encoder(script)(TEXTS[:3])
    first, second = np.diff(script.times)
    assert 0.5 <= first < 1 <= second < 2


def test_tries_end(start: Start) -> None:
    script = start(faults=["500"] * 9, headers={"Retry-After": "0"})
    with pytest.raises(InputError, match=r"/v1/embeddings gave no answer in 3 tries; the last one: status 500"):
        encoder(script, {"retries": 2})(TEXTS)
    assert len(script.requests) == 3


@pytest.mark.parametrize("status", ["400", "401", "404", "302"])
def test_a_refusal_is_not_tried_again(status: str, start: Start) -> None:
    script = start(faults=[status] * 9)
    with pytest.raises(InputError, match=f"refused the request: status {status}, .*did this"):
        encoder(script)(TEXTS)
    assert len(script.requests) == 1


WRONG = {
    "too few": "4 vectors with 4 indices for 5 texts",
    "repeated": "5 vectors with 4 indices for 5 texts",
    "ragged": "ValueError",
    "null": "TypeError|ValueError",
    "nan": "not finite",
    "no data": "KeyError.'data'",
}


@pytest.mark.parametrize("fault", WRONG)
def test_an_answer_that_does_not_fit_is_refused(fault: str, start: Start) -> None:
    with pytest.raises(InputError, match=f"answered what does not fit: .*({WRONG[fault]})"):
        encoder(start(faults=["", fault]))(TEXTS)


def test_another_width_than_asked_for_is_refused(start: Start) -> None:
    with pytest.raises(InputError, match="vectors of 2 and 3 numbers; expected one width, that of dimensions=2"):
        encoder(start(), dimensions=2)(TEXTS)


def test_vectors_of_two_widths_are_refused(start: Start) -> None:
    with pytest.raises(InputError, match="vectors of 3 and 4 numbers; expected one width"):
        encoder(start(faults=["", "wider"]))(TEXTS)


def test_the_key_comes_from_the_environment_and_is_shown_nowhere(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret-key")
    script = start(faults=["401"])
    with_key = encoder(script, {"key_variable": "SOME_KEY"})
    with pytest.raises(InputError) as refusal:
        with_key(TEXTS)
    assert "the key *** did this" in str(refusal.value)
    assert script.keys == ["Bearer secret-key"]
    assert "secret-key" not in f"{refusal.value}{with_key!r}{with_key.fingerprint}{with_key.before(TEXTS)}"


def test_without_a_key_none_is_sent(start: Start) -> None:
    script = start()
    encoder(script)(TEXTS[:1])
    assert script.keys == [None]


def test_a_missing_key_is_found_out_before_anything_is_sent(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    script = start()
    with pytest.raises(InputError, match=r"environment variable SOME_KEY holds no key .*key_variable=null"):
        encoder(script, {"key_variable": "SOME_KEY"}).before(TEXTS)
    assert script.requests == []


def test_requests_keep_to_their_number_a_minute(start: Start) -> None:
    script = start()
    encoder(script, {"requests_per_minute": 300}, concurrency=4)(TEXTS[:20])
    assert np.diff(sorted(script.times)).min() >= 0.15  # 0.2 s apart, less what the way to the server varies


def test_requests_keep_to_their_tokens_a_minute(start: Start) -> None:
    script = start()
    encoder(script, {"tokens_per_minute": 1500})(["a" * 20] * 10)  # two requests of 25 tokens: a second each
    assert script.times[1] - script.times[0] >= 0.9


def test_tokens_are_estimated_before_and_counted_after(start: Start) -> None:
    script = start()
    asking = encoder(script)
    message = f"2 texts, about 4 tokens (estimated at 4 bytes each), go to some-model at {script.url}"
    assert asking.before(["红色", "0123456789"]) == message  # two characters of three bytes
    asking(TEXTS)
    assert asking.after() == f"{script.url} counted 46 tokens"


def test_long_texts_are_cut_and_counted(start: Start) -> None:
    script = start()
    asking = encoder(script, max_characters=8)
    asking(["红色的椅子", "a title of 21 letters"])
    assert script.requests[0]["input"] == ["红色的椅子", "a title "]
    assert asking.after().endswith("1 of 2 texts were cut at max_characters=8: 13 characters were not sent")


def test_the_store_tells_of_an_encoding_once(start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = start()
    for _ in range(2):
        FeatureStore(tmp_path, chunk_size=4).get(encoder(script), TEXTS)
    told = capsys.readouterr().out
    assert (told.count("go to some-model"), told.count("counted 46 tokens")) == (1, 1)


def test_an_interrupted_encoding_loses_one_chunk(start: Start, tmp_path: Path) -> None:
    script = start(faults=["", "", "", "401"])
    with pytest.raises(InputError):
        FeatureStore(tmp_path, chunk_size=5).get(encoder(script), TEXTS)
    vectors = FeatureStore(tmp_path, chunk_size=5).get(encoder(script), TEXTS)
    np.testing.assert_array_equal(vectors, EXPECTED)
    assert sum(len(body["input"]) for body in script.requests) == 23 + 5


def test_a_fatal_answer_ends_the_waiting_of_other_requests(start: Start) -> None:
    script = start(faults=["500"] * 4 + ["400"], headers={"Retry-After": "10"}, seconds=1.0)
    begin = time.monotonic()  # all five requests are sent before the first answer
    with pytest.raises(InputError, match="refused the request: status 400"):
        encoder(script, concurrency=5)(TEXTS)
    assert time.monotonic() - begin < 5  # not the 10 that they were told to wait
    assert len(script.requests) == 5


def test_fingerprint_tells_servers_models_and_settings_apart() -> None:
    first = OpenAICompatibleEncoder(Server("http://one/v1"), "m")
    others = [
        OpenAICompatibleEncoder(Server("http://two/v1"), "m"),
        OpenAICompatibleEncoder(Server("http://one/v1"), "n"),
        OpenAICompatibleEncoder(Server("http://one/v1"), "m", dimensions=8),
        OpenAICompatibleEncoder(Server("http://one/v1"), "m", normalize=False),
        OpenAICompatibleEncoder(Server("http://one/v1"), "m", max_characters=9),
    ]
    alike = OpenAICompatibleEncoder(Server("http://one/v1/", "KEY", timeout=1), "m", batch_size=2, concurrency=1)
    assert alike.fingerprint == first.fingerprint
    assert all(other.fingerprint != first.fingerprint for other in others)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8000/v1", "is no address"),
        ("http://me:secret@host/v1", "holds a name"),
        ("http://h/v1?k=secret", "query"),
    ],
)
def test_a_bad_address_is_refused_without_repeating_a_secret(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        Server(url)
    assert "secret" not in str(refusal.value)
