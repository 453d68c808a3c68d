from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("peft", reason="needs pip install 'graftrec[adapt]'")
pytest.importorskip("datasets", reason="needs pip install 'graftrec[adapt]'")

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import AutoModel, T5Config, T5Model

from graftrec.errors import InputError
from graftrec.features.adapt.fine_tuning import POOLINGS, ReadingModule, fine_tune, found, merged, train, with_lora
from graftrec.features.adapt.pairs import TextPairs
from graftrec.features.encoders.language_model import LanguageModel, save_plain
from graftrec.features.encoders.transformer import TransformerEncoder
from tests.features.adapt.test_adaptation import adaptation
from tests.features.encoders.tiny_models import SENTENCES, save_bert, save_llama, save_tokenizer

SAVED = {"bert": save_bert, "llama": save_llama}


def encoder(folder: Path, pooling: str = "mean") -> TransformerEncoder:
    return TransformerEncoder(LanguageModel(str(folder), dtype="float32"), pooling=pooling, max_tokens=5)


def sentences(model: TransformerEncoder) -> SentenceTransformer:
    reader, weights = model.load(model.language_model)
    width = weights.config.hidden_size
    return SentenceTransformer(modules=[ReadingModule(reader, weights), Pooling(width, POOLINGS[model.pooling])])


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("kind", SAVED)
def test_what_is_trained_reads_texts_as_the_encoder_does(kind: str, pooling: str, tmp_path: Path) -> None:
    model = encoder(SAVED[kind](tmp_path), pooling)
    padded = sentences(model).encode(SENTENCES, normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(padded, model(SENTENCES), atol=1e-5)


@pytest.mark.parametrize("kind", SAVED)
def test_merged_weights_compute_what_peft_computes(kind: str, tmp_path: Path) -> None:
    folder = SAVED[kind](tmp_path / "model")
    _, base = LanguageModel(str(folder), dtype="float32").load()
    trained = with_lora(base, rank=2)
    torch.manual_seed(0)
    for name, weights in trained.named_parameters():
        if "lora_B" in name:  # zero at first
            torch.nn.init.normal_(weights, std=0.3)
    tokens = torch.tensor([[2, 4, 6, 8, 3]])
    with torch.inference_mode():
        plain = AutoModel.from_pretrained(folder).eval()(tokens).last_hidden_state
        expected = trained.eval()(tokens).last_hidden_state
    assert (expected - plain).abs().max() > 0.1
    save_plain(LanguageModel(str(folder)).load()[0], merged(trained), tmp_path / "merged")
    with torch.inference_mode():
        saved = AutoModel.from_pretrained(tmp_path / "merged").eval()(tokens).last_hidden_state
    torch.testing.assert_close(saved, expected, atol=1e-5, rtol=1e-4)


def test_lora_trains_two_narrow_matrices_for_each_linear_layer(tmp_path: Path) -> None:
    _, base = LanguageModel(str(save_bert(tmp_path)), dtype="float32").load()
    linear = [m for m in base.modules() if isinstance(m, torch.nn.Linear)]
    expected = sum(3 * (m.in_features + m.out_features) for m in linear)
    trained = with_lora(base, rank=3)
    assert sum(weights.numel() for weights in trained.parameters() if weights.requires_grad) == expected


def test_the_loss_that_is_told_is_of_whole_batches(tmp_path: Path) -> None:
    words = ["red", "blue", "chair", "lamp", "garden", "sea", "红色", "椅子", "red sea"]
    pairs = TextPairs([f"{word} red" for word in words], [f"{word} blue" for word in words])
    outcome = train(sentences(encoder(save_bert(tmp_path))), pairs, adaptation(batch_size=4, rank=None))
    assert outcome["steps"] == 3
    assert outcome["loss_end"] > 0.1  # the last batch has one pair, whose loss is 0


def test_found_is_the_share_of_partners_among_the_ten_nearest(tmp_path: Path) -> None:
    model = encoder(save_bert(tmp_path))
    words = ["red", "blue", "chair", "lamp", "garden", "sea", "红色", "椅子"]
    positives = [f"{one} {other}" for one in words for other in words][:30]
    pairs = TextPairs([f"{text} sea" for text in reversed(positives)], positives)
    vectors = {text: model([text])[0] for text in [*pairs.anchors, *pairs.positives]}
    hits = 0
    for anchor, partner in zip(pairs.anchors, pairs.positives, strict=True):
        nearest = sorted(positives, key=lambda text: -float(vectors[text] @ vectors[anchor]))[:10]
        hits += partner in nearest
    assert 0 < hits < 30
    assert found(sentences(replace(model, pooling="mean")), pairs) == pytest.approx(hits / 30)


def test_the_encoder_half_of_a_larger_model_is_refused(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, marks=True)
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": 13}
    T5Model(T5Config(decoder_start_token_id=0, **sizes)).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="is the encoder half of a larger model"):
        fine_tune(encoder(tmp_path), TextPairs(["red", "sea"], ["blue", "lamp"]), adaptation())
