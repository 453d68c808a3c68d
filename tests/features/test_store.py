import hashlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from graftrec.errors import InputError
from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.encoders.language_model import LanguageModel
from graftrec.features.encoders.transformer import TransformerEncoder
from graftrec.features.store import FeatureStore
from graftrec.features.text import render
from tests.features.encoders.tiny_models import save_bert

TEXTS = [f"{'word ' * (number % 4)}number {number}" for number in range(23)]


@dataclass
class LetterCounts:
    """Counts of the letters a and b times ``scale``; remembers every text that it encoded."""

    scale: float = 1.0
    encoded: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> dict[str, object]:
        return {"encoder": "letters", "scale": self.scale}

    def vector(self, text: str) -> list[float]:
        return [self.scale * text.count("a"), self.scale * text.count("b"), self.scale * len(text)]

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded.extend(texts)
        return np.array([self.vector(text) for text in texts], dtype=np.float32)


@dataclass
class PlaceInChunk:
    """Like a language model's last bits, its vectors depend on the texts beside them."""

    interrupted_at: int | None = None
    chunks: list[list[str]] = field(default_factory=list)
    fingerprint: dict[str, object] = field(default_factory=lambda: {"encoder": "place"})

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if len(self.chunks) + 1 == self.interrupted_at:
            raise KeyboardInterrupt
        self.chunks.append(list(texts))
        return np.array([[place, len(texts)] for place in range(len(texts))], dtype=np.float32)


def interrupt(folder: Path) -> PlaceInChunk:
    """A run over all texts in chunks of 5 that is stopped at the third."""
    encoder = PlaceInChunk(interrupted_at=3)
    with pytest.raises(KeyboardInterrupt):
        FeatureStore(folder, chunk_size=5).get(encoder, TEXTS)
    return encoder


def vector_files(folder: Path) -> list[Path]:
    """Shards, whole or not."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in (".lock", "encoder.json")]


def test_vectors_stand_in_the_order_of_the_texts(tmp_path: Path) -> None:
    vectors = FeatureStore(tmp_path, chunk_size=2).get(LetterCounts(), ["bb", "a", "abab", "a"])
    np.testing.assert_array_equal(vectors, [[0, 2, 2], [1, 0, 1], [2, 2, 4], [1, 0, 1]])


def test_vectors_are_float32_also_when_read_back(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    assert [store.get(LetterCounts(), ["a"]).dtype for _ in range(2)] == [np.float32, np.float32]


def test_equal_texts_are_encoded_once(tmp_path: Path) -> None:
    encoder = LetterCounts()
    FeatureStore(tmp_path).get(encoder, ["a", "b", "a", "a"])
    assert sorted(encoder.encoded) == ["a", "b"]


def test_known_texts_are_not_encoded_again(tmp_path: Path) -> None:
    FeatureStore(tmp_path).get(LetterCounts(), ["a", "b"])
    later = LetterCounts()
    FeatureStore(tmp_path).get(later, ["b", "c", "a"])
    assert later.encoded == ["c"]


def test_another_fingerprint_shares_no_vector(tmp_path: Path) -> None:
    FeatureStore(tmp_path).get(LetterCounts(), ["a"])
    np.testing.assert_array_equal(FeatureStore(tmp_path).get(LetterCounts(scale=2.0), ["a"]), [[2, 0, 2]])


REQUEST = st.tuples(st.sampled_from([1.0, 2.0, 3.0]), st.lists(st.text("ab ", max_size=4), min_size=1, max_size=8))


@settings(max_examples=50)
@given(requests=st.lists(REQUEST, min_size=1, max_size=5), chunk_size=st.integers(1, 4))
def test_no_vector_is_stale(requests: list[tuple[float, list[str]]], chunk_size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FeatureStore(Path(folder), chunk_size)
        for scale, texts in requests:
            encoder = LetterCounts(scale)
            np.testing.assert_array_equal(store.get(encoder, texts), [encoder.vector(text) for text in texts])


@settings(max_examples=50)
@given(requests=st.lists(REQUEST, min_size=1, max_size=5))
def test_no_text_is_encoded_twice_under_one_fingerprint(requests: list[tuple[float, list[str]]]) -> None:
    encoders = {scale: LetterCounts(scale) for scale, _ in requests}
    with tempfile.TemporaryDirectory() as folder:
        for scale, texts in requests:
            FeatureStore(Path(folder), 3).get(encoders[scale], texts)
    for encoder in encoders.values():
        assert len(encoder.encoded) == len(set(encoder.encoded))


def test_interrupted_run_loses_only_its_unfinished_chunks(tmp_path: Path) -> None:
    first = interrupt(tmp_path)
    resumed = PlaceInChunk()
    FeatureStore(tmp_path, chunk_size=5).get(resumed, TEXTS)
    kept, encoded_later = ([text for chunk in run.chunks for text in chunk] for run in (first, resumed))
    assert (len(kept), sorted(kept + encoded_later)) == (10, sorted(TEXTS))


def test_chunks_follow_length_and_text_whatever_the_order_of_the_texts(tmp_path: Path) -> None:
    encoder = PlaceInChunk()
    FeatureStore(tmp_path, chunk_size=3).get(encoder, ["b", "aa", "c", "a", "d", "bb", "ab"])
    assert encoder.chunks == [["a", "b", "c"], ["d", "aa", "ab"], ["bb"]]


def test_resumed_run_gives_the_vectors_of_an_uninterrupted_one(tmp_path: Path) -> None:
    interrupt(tmp_path / "interrupted")
    resumed = FeatureStore(tmp_path / "interrupted", chunk_size=5).get(PlaceInChunk(), TEXTS)
    whole = FeatureStore(tmp_path / "whole", chunk_size=5).get(PlaceInChunk(), TEXTS)
    np.testing.assert_array_equal(resumed, whole)


def test_interrupted_run_leaves_whole_shards_only(tmp_path: Path) -> None:
    interrupt(tmp_path)
    assert [path.suffix for path in vector_files(tmp_path)] == [".safetensors", ".safetensors"]


def test_unwritable_folder_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match=r"cannot be written .* full or read-only\? Set paths.cache elsewhere"):
        FeatureStore(tmp_path / "file" / "cache").get(HashingEncoder(), ["red chair"])


LIMITED = """
import resource, signal, sys
from pathlib import Path
from graftrec.errors import InputError
from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.store import FeatureStore
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
if sys.argv[2] == "killed":
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
try:
    FeatureStore(Path(sys.argv[1])).get(HashingEncoder(), [f"red chair {n}" for n in range(10)])
except InputError as error:
    print(error)
"""


def write_beyond_limit(folder: Path, fate: str) -> subprocess.CompletedProcess[str]:
    """A process that may write 5,000 bytes a file, half a shard, and is refused or killed when it writes more."""
    program = [sys.executable, "-c", LIMITED, str(folder), fate]
    return subprocess.run(program, capture_output=True, text=True)


def test_full_disk_is_an_input_error_and_leaves_no_file(tmp_path: Path) -> None:
    assert "Set paths.cache elsewhere" in write_beyond_limit(tmp_path, "refused").stdout
    assert vector_files(tmp_path) == []


def test_run_killed_while_it_writes_leaves_no_shard(tmp_path: Path) -> None:
    assert write_beyond_limit(tmp_path, "killed").returncode == -signal.SIGXFSZ
    assert not list(tmp_path.rglob("*.safetensors"))
    vectors = FeatureStore(tmp_path).get(HashingEncoder(), ["red chair"])
    np.testing.assert_array_equal(vectors, HashingEncoder()(["red chair"]))


@pytest.mark.parametrize("size", [0, 60])
def test_a_damaged_shard_is_refused_with_what_to_delete(tmp_path: Path, size: int) -> None:
    FeatureStore(tmp_path).get(HashingEncoder(), ["red chair"])
    (shard,) = tmp_path.rglob("*.safetensors")
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(InputError, match=f"The file {shard} of the feature cache is damaged .*; delete it: its texts"):
        FeatureStore(tmp_path).get(HashingEncoder(), ["red chair"])


def test_a_folder_that_cannot_be_written_is_found_out_before_encoding(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    encoder = LetterCounts()
    with pytest.raises(InputError):
        FeatureStore(tmp_path / "cache").get(encoder, ["a"])
    assert encoder.encoded == []


def test_half_precision_is_kept_apart_and_gives_the_same_bits_before_and_after_it_was_stored(tmp_path: Path) -> None:
    texts, encoder = ["red chair", "blue garden lamp"], HashingEncoder()
    whole = FeatureStore(tmp_path).get(encoder, texts)
    halves = [FeatureStore(tmp_path, dtype="float16").get(encoder, texts) for _ in range(2)]
    for half in halves:
        np.testing.assert_array_equal(half, whole.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(FeatureStore(tmp_path).get(encoder, texts), whole)
    assert {half.dtype for half in halves} == {np.dtype(np.float32)}


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(InputError, match=r"store.dtype='int8' is unknown; choose one of float32, float16"):
        FeatureStore(Path(), dtype="int8")


@dataclass
class Fixed:
    """The same array for every call."""

    vectors: np.ndarray
    fingerprint: dict[str, object] = field(default_factory=lambda: {"encoder": "fixed"})

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        return self.vectors


@pytest.mark.parametrize("wrong", [np.zeros((1, 3)), np.zeros((3, 2)), np.zeros(2)], ids=str)
def test_an_encoder_that_gives_another_number_of_vectors_is_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"gave an array of shape .* for 2 texts; expected \(2, 'F'\)"):
        FeatureStore(tmp_path).get(Fixed(wrong), ["a", "b"])
    assert vector_files(tmp_path) == []


def test_an_encoder_whose_width_changes_under_one_name_is_refused(tmp_path: Path) -> None:
    FeatureStore(tmp_path).get(Fixed(np.zeros((1, 2))), ["a"])
    with pytest.raises(InputError, match=r"expected \(1, 2\), one vector a text, as wide as before"):
        FeatureStore(tmp_path).get(Fixed(np.zeros((1, 3))), ["b"])


@pytest.mark.parametrize(("value", "dtype"), [(np.nan, "float32"), (70_000, "float16")])
def test_numbers_that_cannot_be_kept_are_refused(tmp_path: Path, value: float, dtype: str) -> None:
    vectors = np.array([[0, 0], [0, value]], dtype=np.float32)
    with pytest.raises(InputError, match=rf"not finite in {dtype} for 1 texts \(first: 'b'\)"):
        FeatureStore(tmp_path, dtype=dtype).get(Fixed(vectors), ["a", "b"])


def test_long_texts_make_short_chunks(tmp_path: Path) -> None:
    encoder = PlaceInChunk()
    FeatureStore(tmp_path).get(encoder, [letter * 30_000 for letter in "abcde"])
    assert [len(chunk) for chunk in encoder.chunks] == [2, 2, 1]


def test_vectors_of_an_earlier_version_are_found(tmp_path: Path) -> None:
    """It wrote the digests in the order of the texts, and no encoder.json."""
    from safetensors.numpy import save_file

    encoder, texts = LetterCounts(), ["b", "a"]
    folder = tmp_path / hashlib.sha256(json.dumps(encoder.fingerprint, sort_keys=True).encode()).hexdigest()[:32]
    folder.mkdir()
    rows = np.array([list(hashlib.sha256(text.encode()).digest()) for text in texts], dtype=np.uint8)
    vectors = np.array([encoder.vector(text) for text in texts], dtype=np.float32)
    save_file({"digests": rows, "vectors": vectors}, folder / "0123.safetensors")
    np.testing.assert_array_equal(FeatureStore(tmp_path).get(encoder, ["a", "b"]), vectors[::-1])
    assert (encoder.encoded, (folder / "encoder.json").is_file()) == ([], True)


def test_a_cache_where_nothing_can_be_noted_serves_what_it_has(tmp_path: Path) -> None:
    vectors = FeatureStore(tmp_path).get(LetterCounts(), ["a"])
    about = FeatureStore(tmp_path).path(LetterCounts()) / "encoder.json"
    about.unlink()
    about.mkdir()  # in the way
    np.testing.assert_array_equal(FeatureStore(tmp_path).get(LetterCounts(), ["a"]), vectors)


MODELS = st.sampled_from(["first", "second"])
LOADED = st.fixed_dictionaries({"dtype": st.sampled_from(["float32", "bfloat16"])}, optional={"revision": st.just("b")})
SETTINGS = st.fixed_dictionaries(
    {
        "pooling": st.sampled_from(["mean", "weighted_mean"]),
        "normalize": st.booleans(),
        "max_tokens": st.sampled_from([6, 32]),
    },
    optional={"prompt": st.sampled_from(["red {text}", "{text} sea"])},
)
TEMPLATES = st.sampled_from([None, "buy {title}", "{title} {year}"])
TITLES = st.lists(st.sampled_from(["red chair", "blue lamp", "sea", "garden red chair lamp"]), min_size=1, max_size=3)


@settings(max_examples=20, phases=[Phase.generate])
@given(requests=st.lists(st.tuples(MODELS, LOADED, SETTINGS, TEMPLATES, TITLES), min_size=2, max_size=5))
def test_no_vector_of_a_language_model_is_stale(
    requests: list[tuple[str, dict[str, str], dict[str, Any], str | None, list[str]]], models: Path
) -> None:
    """Under changed text, prompt, pooling, revision, and other weights that are written over the old ones."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model"
        for model, loaded, changed, template, titles in requests:
            shutil.copytree(models / model, place, dirs_exist_ok=True)

            def encoder(folder: Path, loaded: Any = loaded, changed: Any = changed) -> TransformerEncoder:
                return TransformerEncoder(LanguageModel(str(folder), **loaded), **changed)

            table = pl.DataFrame({"title": titles, "year": "blue"})
            texts = [str(text) for text in render(table, template)]
            cached = FeatureStore(Path(folder) / "cache").get(encoder(place), texts)
            unique = sorted(set(texts), key=lambda text: (len(text), text))
            direct = encoder(models / model)(unique)
            np.testing.assert_allclose(cached, direct[[unique.index(text) for text in texts]], atol=1e-6)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small language models with other weights."""
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(["first", "second"]):
        save_bert(folder / name, seed)
    return folder
