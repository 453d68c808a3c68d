import importlib.util
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.features.adapt import adaptation as module
from graftrec.features.adapt.adaptation import Adaptation
from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.encoders.language_model import LanguageModel
from graftrec.features.encoders.transformer import TransformerEncoder
from graftrec.features.nodes import NoFeatures, TextFeatures
from graftrec.features.store import FeatureStore
from tests.features.encoders.tiny_models import save_bert, save_llama
from tests.small_data import small_dataset

PACKAGES = ("sentence_transformers", "peft", "datasets", "accelerate")
needs_packages = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in PACKAGES), reason="needs pip install 'graftrec[adapt]'"
)
LIKED_TOGETHER = [["red chair", "sea", "garden lamp"], ["blue lamp", "garden", "chair sea"]]
TITLES = pl.DataFrame({"title": [title for group in LIKED_TOGETHER for title in group]})
USER_TEXT = pl.DataFrame({"likes": ["red", "chair red", "blue", "lamp blue"]})


def planted() -> Dataset:
    """Two kinds of users; each likes three items whose titles have no word in common."""
    return small_dataset([list(row) for row in ("tttve.", "tttev.", ".evttt", "e.vttt")], TITLES, USER_TEXT)


def adaptation(**settings: Any) -> Adaptation:
    usual = {"pairs": "co_interacted", "max_pairs": 100, "max_pairs_per_user": 50, "epochs": 1, "batch_size": 4}
    return Adaptation(**{**usual, "lr": 0.01, "seed": 0, "rank": 2, **settings})


def features(model: Path, **settings: Any) -> TextFeatures:
    return TextFeatures(TransformerEncoder(LanguageModel(str(model), dtype="float32"), max_tokens=16, **settings))


def cosines(vectors: np.ndarray) -> tuple[float, float]:
    """Mean cosine of different items that are liked together, and of those that are not."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    together = np.kron(np.eye(2), np.ones((3, 3))).astype(bool)
    products = units @ units.T
    return float(products[together & ~np.eye(6, dtype=bool)].mean()), float(products[~together].mean())


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return save_bert(tmp_path_factory.mktemp("bert"), hidden_size=32, **still)


@needs_packages
@pytest.mark.parametrize(("rank", "pairs"), [(2, "co_interacted"), (None, "co_interacted"), (2, "user_text")])
def test_items_liked_together_come_closer_than_others(rank: int | None, pairs: str, bert: Path, tmp_path: Path) -> None:
    source, store = features(bert), FeatureStore(tmp_path / "features")
    learner = adaptation(rank=rank, pairs=pairs, epochs=40, lr=0.01 if rank else 0.001)
    adapted, facts = learner(source, planted(), tmp_path / "adapted")
    before, after = (cosines(made(planted(), store).item) for made in (source, adapted))  # type: ignore[arg-type]
    assert before[0] - before[1] < 0.05
    assert after[0] - after[1] > 0.3
    assert facts["loss_end"] < facts["loss_start"]
    assert store.path(adapted.encoder) != store.path(source.encoder)


@needs_packages
def test_a_decoder_is_adapted_too(tmp_path: Path) -> None:
    source = features(save_llama(tmp_path / "llama"), pooling="last", prompt="lamp : {text}", chat_template=True)
    adapted, _ = adaptation(epochs=30, lr=0.02)(source, planted(), tmp_path / "adapted")
    store = FeatureStore(tmp_path / "features")
    before, after = (cosines(made(planted(), store).item) for made in (source, adapted))  # type: ignore[arg-type]
    assert after[0] - after[1] > before[0] - before[1] + 0.3


@needs_packages
def test_what_learns_next_to_nothing_reads_as_the_base_model_does(bert: Path, tmp_path: Path) -> None:
    source = features(bert, prompt="garden : {text}")
    adapted, _ = adaptation(lr=1e-12)(source, planted(), tmp_path)
    texts = ["red chair sea", "blue", "红色 椅子"]
    np.testing.assert_allclose(adapted.encoder(texts), source.encoder(texts), atol=1e-5)


@needs_packages
def test_the_same_command_finds_the_model_again_and_a_new_cache_makes_the_same(bert: Path, tmp_path: Path) -> None:
    made = [adaptation()(features(bert), planted(), tmp_path / name) for name in ("one", "one", "two")]
    fingerprints = [one.encoder.fingerprint for one, _ in made]
    assert fingerprints[0] == fingerprints[1] == fingerprints[2]
    facts = [facts for _, facts in made]
    assert facts[0] == facts[1]  # the seconds, too
    (folder,) = (tmp_path / "one").iterdir()
    assert {path.name for path in folder.iterdir()} <= {"lora", "adaptation.json", ".lock"}


@needs_packages
def test_what_a_killed_process_left_is_replaced(bert: Path, tmp_path: Path) -> None:
    whole, _ = adaptation()(features(bert), planted(), tmp_path / "whole")
    (folder,) = (tmp_path / "whole").iterdir()
    left = tmp_path / "left" / folder.name
    (left / ".partial").mkdir(parents=True)
    (left / ".partial" / "model.safetensors").write_bytes(b"half")
    (left / "adaptation.json").write_text("{")
    again, _ = adaptation()(features(bert), planted(), tmp_path / "left")
    assert again.encoder.fingerprint == whole.encoder.fingerprint
    assert not (left / ".partial").exists()
    assert json.loads((left / "adaptation.json").read_text())["outcome"]["pairs"] == 6


CHANGES: list[dict[str, Any]] = [
    {"seed": 1}, {"lr": 0.02}, {"epochs": 2}, {"batch_size": 3}, {"rank": 3}, {"rank": None}, {"max_pairs": 3},
    {"pairs": "user_text"},
]  # fmt: skip


def test_the_key_changes_with_every_setting_and_text(bert: Path, tmp_path: Path) -> None:
    other_titles = replace(planted(), item_text=TITLES.with_columns(pl.col("title") + " sea"))
    other_model = features(save_bert(tmp_path / "other", hidden_size=32, seed=1))
    others = [features(bert, pooling="max"), features(bert, prompt="a {text}"), other_model]
    keys = [adaptation(**change).key(features(bert), planted()) for change in [{}, *CHANGES]]
    keys += [adaptation().key(features(bert), other_titles), *(adaptation().key(one, planted()) for one in others)]
    assert len(set(keys)) == len(keys)


def test_the_key_does_not_change_with_what_adapting_does_not_read(bert: Path) -> None:
    rounded = TextFeatures(TransformerEncoder(LanguageModel(str(bert), dtype="bfloat16"), max_tokens=16), users="none")
    moved = replace(planted(), valid=planted().test, test=planted().valid)
    assert adaptation().key(rounded, moved) == adaptation().key(features(bert), planted())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": "cointeracted"}, "adapt.pairs='cointeracted' is unknown; choose one of co_interacted, user_text"),
        ({"max_pairs": 1}, "adapt.max_pairs=1 must be a whole number >= 2"),
        ({"epochs": 0.5}, "adapt.epochs=0.5 must be a whole number >= 1"),
        ({"rank": 0}, "adapt.rank=0 must be a whole number >= 1"),
        ({"lr": 0}, "adapt.lr=0 must be greater than 0"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        adaptation(**settings)


@pytest.mark.parametrize(
    ("source", "name"), [(TextFeatures(HashingEncoder()), "HashingEncoder"), (NoFeatures(), "NoFeatures")]
)
def test_what_is_no_transformer_is_refused(source: Any, name: str) -> None:
    with pytest.raises(InputError, match=f"a transformer on this machine, but features= gives {name}; choose"):
        adaptation().check(source, planted())


@needs_packages
def test_data_without_text_of_users_is_refused(bert: Path) -> None:
    with pytest.raises(InputError, match="no text of users; set adapt"):
        adaptation(pairs="user_text").check(features(bert), replace(planted(), user_text=None))


@pytest.mark.parametrize(("rank", "names"), [(2, "datasets, peft"), (None, "datasets")])
def test_missing_packages_are_named(rank: int | None, names: str, bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there: Sequence[str] = ("sentence_transformers", "accelerate")
    monkeypatch.setattr(module, "find_spec", lambda name: name if name in there else None)
    with pytest.raises(InputError, match=rf"adapt=\w+ needs {names}: pip install 'graftrec\[adapt\]'"):
        adaptation(rank=rank).check(features(bert), planted())
