from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from graftrec.errors import InputError
from graftrec.features.encoders.tokens import TokenReader
from tests.features.encoders.tiny_models import CHAT, save_tokenizer, words_of


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tokenizer with [CLS] and [SEP] around each text and a chat template."""
    folder = tmp_path_factory.mktemp("marked")
    save_tokenizer(folder, marks=True, chat_template=CHAT)
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tokenizer that adds nothing."""
    save_tokenizer(folder := tmp_path_factory.mktemp("plain"), marks=False, eos_token="[SEP]")
    return AutoTokenizer.from_pretrained(folder)


def test_a_text_is_read_with_the_models_own_marks(marked: Any) -> None:
    assert TokenReader(marked, 9)(["red 椅子"]) == [words_of("[CLS]", "red", "椅子", "[SEP]")]


def test_a_prompt_stands_around_every_text(plain: Any) -> None:
    reader = TokenReader(plain, 9, prompt="garden : {text} in")
    assert reader(["red chair", "sea"]) == [
        words_of("garden", ":", "red", "chair", "[UNK]"),
        words_of("garden", ":", "sea", "[UNK]"),
    ]


def test_the_chat_template_brings_its_own_marks(marked: Any) -> None:
    reader = TokenReader(marked, 9, prompt="blue {text}", chat_template=True)
    assert reader(["lamp"]) == [words_of("[CLS]", "blue", "lamp", "[SEP]", ":")]


def test_a_long_text_loses_its_end_and_keeps_the_marks(marked: Any) -> None:
    assert TokenReader(marked, 4)(["red chair lamp sea"]) == [words_of("[CLS]", "red", "chair", "[SEP]")]


def test_a_long_text_leaves_the_prompt_and_the_chat_template_whole(marked: Any) -> None:
    reader = TokenReader(marked, 6, prompt="{text} blue", chat_template=True)
    assert reader(["red chair lamp sea"]) == [words_of("[CLS]", "red", "chair", "blue", "[SEP]", ":")]


def test_what_is_cut_is_counted_over_all_calls(marked: Any) -> None:
    reader = TokenReader(marked, 4)
    reader(["red", "red chair lamp", "sea sea"])
    reader(["blue blue blue blue lamp"])
    message = "2 of 4 texts were cut at max_tokens=4: 4 of 19 tokens (21%) were not read"
    assert reader.report() == message


def test_where_nothing_is_cut_nothing_is_told(marked: Any) -> None:
    reader = TokenReader(marked, 9)
    reader(["red chair"])
    assert reader.report() is None


def test_of_a_giant_text_only_a_lower_bound_is_told(plain: Any) -> None:
    reader = TokenReader(plain, 2)
    assert reader(["sea " * 1000]) == [words_of("sea", "sea")]
    assert reader.report() == "1 of 1 texts were cut at max_tokens=2: at least 48 of 50 tokens (96%) were not read"


def test_a_text_without_tokens_reads_as_the_end_mark(plain: Any) -> None:
    assert TokenReader(plain, 4)([" "]) == [words_of("[SEP]")]


@given(words=st.lists(st.sampled_from(["red", "sea", "椅子"]), min_size=1, max_size=12), max_tokens=st.integers(4, 9))
def test_a_cut_prompt_holds_as_many_first_words_as_fit(words: list[str], max_tokens: int, plain: Any) -> None:
    (tokens,) = TokenReader(plain, max_tokens, prompt=": {text} lamp lamp")([" ".join(words)])
    assert tokens == words_of(":", *words[: max_tokens - 3], "lamp", "lamp")


def test_a_prompt_that_leaves_no_room_is_refused(plain: Any) -> None:
    with pytest.raises(InputError, match="max_tokens=3 leaves no room for a text: the prompt alone has 3 tokens"):
        TokenReader(plain, 3, prompt="red blue {text} sea")(["chair"])


def test_a_model_without_chat_template_is_refused(plain: Any) -> None:
    with pytest.raises(InputError, match="chat_template=true, but the model's tokenizer has none"):
        TokenReader(plain, 9, chat_template=True)
