"""From texts to the tokens that a language model reads, with a count of what is cut off."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graftrec.errors import InputError

CHARACTERS_PER_TOKEN = 100  # cut before tokenising, whose time and memory grow with the text; words are shorter


@dataclass
class Count:
    """Of texts that were read."""

    texts: int = 0
    tokens: int = 0  # before cutting
    cut_texts: int = 0
    cut_tokens: int = 0
    unread: bool = False  # the ends of some texts were not even tokenised


@dataclass
class TokenReader:
    """``prompt`` is put around every text (at its ``{text}``), and the chat template around that.

    A text that is too long loses its end: the prompt and the model's own marks stay whole.
    """

    tokenizer: Any
    max_tokens: int
    prompt: str | None = None
    chat_template: bool = False
    count: Count = field(default_factory=Count)

    def __post_init__(self) -> None:
        if self.chat_template and not getattr(self.tokenizer, "chat_template", None):
            raise InputError("chat_template=true, but the model's tokenizer has none; set chat_template=false.")

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Token numbers of each text, at least one and at most ``max_tokens``."""
        shortened = [text[: CHARACTERS_PER_TOKEN * self.max_tokens] for text in texts]
        tokens = self._tokens(shortened)
        count = self.count
        count.texts += len(texts)
        count.tokens += sum(map(len, tokens))
        count.unread |= any(len(text) != len(short) for text, short in zip(texts, shortened, strict=True))
        long = [row for row, numbers in enumerate(tokens) if len(numbers) > self.max_tokens]
        for row, numbers in zip(long, self._cut([shortened[row] for row in long]), strict=True):
            count.cut_texts += 1
            count.cut_tokens += len(tokens[row]) - len(numbers)
            tokens[row] = numbers
        return [numbers or [self.tokenizer.eos_token_id or 0] for numbers in tokens]

    def report(self) -> str | None:
        """How much was cut; None where nothing was."""
        count = self.count
        if not count.cut_texts:
            return None
        return (
            f"{count.cut_texts:,} of {count.texts:,} texts were cut at max_tokens={self.max_tokens}: "
            f"{'at least ' if count.unread else ''}{count.cut_tokens:,} of {count.tokens:,} tokens "
            f"({count.cut_tokens / count.tokens:.0%}) were not read"
        )

    def _tokens(self, texts: Sequence[str], **settings: Any) -> list[list[int]]:
        if not texts:
            return []
        asked = [self._asked(text) for text in texts]
        marks = not self.chat_template  # a chat template writes them itself
        return self.tokenizer(asked, add_special_tokens=marks, verbose=False, **settings)["input_ids"]

    def _asked(self, text: str) -> str:
        asked = text if self.prompt is None else self.prompt.replace("{text}", text)
        if not self.chat_template:
            return asked
        chat = [{"role": "user", "content": asked}]
        return self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)

    def _cut(self, texts: Sequence[str]) -> list[list[int]]:
        if self.prompt is None and not self.chat_template:
            return self._tokens(texts, truncation=True, max_length=self.max_tokens)
        return [self._cut_inside(text) for text in texts]

    def _cut_inside(self, text: str) -> list[int]:
        while True:
            numbers = self._tokens([text])[0]
            excess = len(numbers) - self.max_tokens
            if excess <= 0:
                return numbers
            offsets = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
            ends = [end for _, end in offsets["offset_mapping"]]
            if len(ends) <= excess:
                raise InputError(
                    f"max_tokens={self.max_tokens} leaves no room for a text: the prompt alone has "
                    f"{len(self._tokens([''])[0]):,} tokens; raise max_tokens or shorten the prompt."
                )
            text = text[: min(ends[-excess - 1], len(text) - 1)]  # a character may be several tokens
