"""Answers of a decoder on this machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from graftrec.errors import InputError
from graftrec.features.encoders.language_model import LanguageModel


@dataclass(frozen=True, eq=False)
class LocalGenerator:
    """The likeliest answer of ``model`` at the first attempt, samples of it (temperature 0.8) at later ones.

    Prompts go through the model's chat template where it has one. ``batch_size`` prompts are answered together.
    """

    model: LanguageModel
    max_new_tokens: int = 96
    batch_size: int = 8

    def __post_init__(self) -> None:
        if not self.model.generates:
            raise InputError("profile.generator.model must be loaded with its head: set its generates=true.")

    @property
    def fingerprint(self) -> dict[str, object]:
        return {"generator": "local", **self.model.fingerprint, "max_new_tokens": self.max_new_tokens}

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        tokenizer, model = self.model.load()
        tokenizer.padding_side = "left"  # an answer follows its prompt
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer, model

    def before(self, prompts: Sequence[str]) -> str:
        """Loads the model; how many tokens will be read and, at most, written."""
        tokens = sum(len(ids) for ids in self._tokens(prompts)["input_ids"])
        return (
            f"{len(prompts):,} prompts of {tokens:,} tokens for {self.model.name}, "
            f"at most {len(prompts) * self.max_new_tokens:,} tokens of answers"
        )

    def __call__(self, prompts: Sequence[str], attempt: int) -> Iterator[tuple[int, str]]:
        for start in range(0, len(prompts), self.batch_size):
            answers = self._answers(prompts[start : start + self.batch_size], attempt)
            yield from enumerate(answers, start)

    def _tokens(self, prompts: Sequence[str]) -> Any:
        tokenizer = self._loaded[0]
        if tokenizer.chat_template is None:
            return tokenizer(list(prompts))
        chats = [[{"role": "user", "content": prompt}] for prompt in prompts]
        return tokenizer.apply_chat_template(chats, add_generation_prompt=True, return_dict=True)

    @torch.inference_mode()
    def _answers(self, prompts: Sequence[str], attempt: int) -> list[str]:
        tokenizer, model = self._loaded
        tokens = self._tokens(prompts)
        ids = {name: tokens[name] for name in ("input_ids", "attention_mask")}
        padded = tokenizer.pad(ids, return_tensors="pt").to(model.device)
        sampling = (
            {"do_sample": True, "temperature": 0.8, "top_k": 50, "top_p": 1.0} if attempt else {"do_sample": False}
        )
        with torch.random.fork_rng():
            torch.manual_seed(attempt)
            written = model.generate(
                **padded, **sampling, max_new_tokens=self.max_new_tokens, pad_token_id=tokenizer.pad_token_id
            )
        answers = written[:, padded["input_ids"].shape[1] :]
        return [text.strip() for text in tokenizer.batch_decode(answers, skip_special_tokens=True)]
