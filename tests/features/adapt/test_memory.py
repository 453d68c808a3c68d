"""What adapting takes: items by hand, sizes of the model that is trained."""

from dataclasses import replace
from pathlib import Path

import pytest

from graftrec.features.adapt.memory import LIBRARIES, AdaptedSizes, adapted_sizes
from graftrec.features.encoders.language_model import LanguageModel
from tests.features.adapt.test_adaptation import adaptation, features, needs_packages, planted
from tests.features.encoders.tiny_models import save_bert, save_llama

FULL = AdaptedSizes(parameters=100, trained=100, texts=4, tokens=5, linear=30, heads=2)
BATCH = 4 * 5 * (30 + 3 * 2 * 5)  # each token's numbers in linear layers, and three rows of each head's attention


def test_bytes_by_hand() -> None:
    assert FULL.bytes == LIBRARIES + 4 * (4 * 100 + BATCH)  # weights, gradient, two moments
    assert replace(FULL, trained=7).bytes == LIBRARIES + 4 * (100 + 4 * 7 + BATCH)


@pytest.mark.parametrize(("rank", "trained"), [(None, None), (3, 3 * 240)])
def test_sizes_are_those_of_the_model(rank: int | None, trained: int | None, tmp_path: Path) -> None:
    model = LanguageModel(str(save_bert(tmp_path)))
    parameters = model.load()[1].num_parameters()
    sizes = adapted_sizes(model.outline(), rank, ["a" * 21, "海" * 4], max_tokens=16, batch_size=8)
    # a layer: 4 of 8 to 8, 8 to 16, 16 to 8; two layers, and one of 8 to 8 above them
    assert sizes == AdaptedSizes(parameters, trained or parameters, texts=16, tokens=6, linear=240, heads=4)
    assert adapted_sizes(model.outline(), rank, ["a" * 21], max_tokens=4, batch_size=8).tokens == 4


def test_the_outline_is_the_model_without_memory(tmp_path: Path) -> None:
    model = LanguageModel(str(save_llama(tmp_path)))
    outline, real = model.outline(), model.load()[1]
    assert all(weights.is_meta for weights in outline.parameters())
    assert [weights.shape for weights in outline.parameters()] == [weights.shape for weights in real.parameters()]


@needs_packages
def test_a_model_that_is_there_already_takes_nothing(tmp_path: Path) -> None:
    source, learner = features(save_bert(tmp_path / "bert")), adaptation(batch_size=4)
    sizes = learner.sizes(source, planted(), tmp_path / "adapted")
    assert sizes is not None
    assert (sizes.texts, sizes.tokens) == (8, 3)  # of "garden lamp", 11 characters
    learner(source, planted(), tmp_path / "adapted")
    assert learner.sizes(source, planted(), tmp_path / "adapted") is None
