"""The weights and the tokenizer of a language model: from a folder, a hub name or a GGUF file."""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from graftrec.errors import InputError
from graftrec.features.encoders.base import USUAL_WIDTH

WEIGHTS_AND_TOKENIZERS = (".safetensors", ".bin", ".json", ".txt", ".model", ".jinja", ".spm", ".tiktoken")


@dataclass(frozen=True)
class LanguageModel:
    """``name``: a local folder, a hub name, or a ``.gguf`` file in one of them.

    ``dtype``: bfloat16 weights keep cosine >= 0.999 to float32 at about twice the speed on a CPU.
    ``device``: ``auto`` is cuda where there is one, else cpu. ``cache``: a folder for the dequantised
    weights of GGUF files, which then load in a second; None: dequantised every time. ``generates``
    loads the head that writes, too.
    """

    name: str
    revision: str | None = None
    dtype: str = "bfloat16"
    device: str = "auto"
    cache: str | None = None
    generates: bool = False

    def __post_init__(self) -> None:
        dtype = getattr(torch, self.dtype, None)
        if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
            raise InputError(f"dtype={self.dtype!r} is no torch dtype; choose float32, bfloat16 or float16.")
        try:
            wanted = torch.device("cpu" if self.device == "auto" else self.device)
        except RuntimeError as error:
            raise InputError(f"device={self.device!r} is unknown; choose auto, cpu or cuda.") from error
        if wanted.type == "cuda" and not torch.cuda.is_available():
            raise InputError(f"device={self.device!r}, but there is no CUDA device; choose auto or cpu.")

    @cached_property
    def fingerprint(self) -> dict[str, object]:
        """Of a local model a digest of its files; of a hub name also the commit that ``revision`` means now."""
        place, file = self._place
        if Path(place).is_dir():
            identity: dict[str, object] = {"model": _digest(Path(place), file)}
        else:
            identity = {"model": self.name, "commit": self._commit(place, file)}
        return {**identity, "revision": self.revision, "dtype": self.dtype}

    @property
    def width(self) -> int:
        """Of a local folder's model; of others the usual width, since they may have to be fetched first."""
        folder = self._dequantised or Path(self.name)
        try:
            return int(json.loads((folder / "config.json").read_text())["hidden_size"])
        except (OSError, ValueError, KeyError):  # refused when the model is loaded
            return USUAL_WIDTH

    def load(self) -> tuple[Any, Any]:
        """Tokenizer and ``AutoModel`` (its encoder where it has a decoder too), ready to read."""
        from transformers import logging

        logging.disable_progress_bar()
        try:
            tokenizer, model = self._load()
        except (OSError, ValueError, SafetensorError) as error:
            raise self._unloadable(error) from error
        if not self.generates:
            model = model.get_encoder() if model.config.is_encoder_decoder else model
            model.config.use_cache = False  # keys and values of past tokens serve generation only
        device = ("cuda" if torch.cuda.is_available() else "cpu") if self.device == "auto" else self.device
        return tokenizer, model.eval().to(device)

    def outline(self) -> Any:
        """``AutoModel`` without memory, on torch's meta device: to count by."""
        from transformers import AutoConfig, AutoModel

        place, file = self._place
        if self._dequantised is not None and self._dequantised.is_dir():
            place, file = str(self._dequantised), None
        where = {} if file is None else {"gguf_file": file}
        try:
            settings = AutoConfig.from_pretrained(place, revision=self.revision, **where)
        except (OSError, ValueError) as error:
            raise self._unloadable(error) from error
        with torch.device("meta"):
            return AutoModel.from_config(settings)

    def _load(self) -> tuple[Any, Any]:
        place, file = self._place
        if file is None:
            return self._from_pretrained(place, revision=self.revision)
        if self._dequantised is not None and self._dequantised.is_dir():
            return self._from_pretrained(str(self._dequantised))
        for package in ("gguf", "accelerate"):
            if find_spec(package) is None:
                raise InputError(f"The model {self.name} needs the package {package}: pip install 'graftrec[llm]'.")
        tokenizer, model = self._from_pretrained(place, revision=self.revision, gguf_file=file)
        if self._dequantised is not None:
            _save(tokenizer, model, self._dequantised)
        return tokenizer, model

    def _from_pretrained(self, place: str, **where: Any) -> tuple[Any, Any]:
        from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

        loading = {"dtype": getattr(torch, self.dtype)}
        if "gguf_file" in where:
            from transformers import GgufConfig

            loading["quantization_config"] = GgufConfig(dequantize=True)
        kind = AutoModelForCausalLM if self.generates else AutoModel
        return AutoTokenizer.from_pretrained(place, **where), kind.from_pretrained(place, **loading, **where)

    @property
    def _place(self) -> tuple[str, str | None]:
        """Folder or hub name, and the GGUF file in it."""
        if not self.name.endswith(".gguf"):
            return self.name, None
        path = Path(self.name).expanduser()
        if path.is_file():
            return str(path.parent), path.name
        owner_and_repository, inside = self.name.split("/")[:2], self.name.split("/")[2:]
        return "/".join(owner_and_repository), "/".join(inside) or None

    @cached_property
    def _dequantised(self) -> Path | None:
        """Where the weights of a local GGUF file are kept."""
        place, file = self._place
        if file is None or self.cache is None or not Path(place).is_dir():
            return None
        head = "-generates" if self.generates else ""
        return Path(self.cache).expanduser() / f"{_digest(Path(place), file)[:32]}-{self.dtype}{head}"

    def _commit(self, name: str, file: str | None) -> str | None:
        from transformers.utils.hub import cached_file, extract_commit_hash

        try:
            found = cached_file(name, file or "config.json", revision=self.revision)
        except (OSError, ValueError) as error:
            raise self._unloadable(error) from error
        return extract_commit_hash(found, None)

    def _unloadable(self, error: Exception) -> InputError:
        if isinstance(error, InputError):
            return error
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return InputError(
            f"The language model {self.name!r} cannot be loaded: {reason} Give a local folder (config.json, weights, "
            f"tokenizer), a .gguf file or a hub name that can be reached."
        )


def longest_text(model: Any) -> int | None:
    """Tokens that ``model`` has positions for; None where any number."""
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    names = (".position_embeddings", "embed_positions")  # RoBERTa and others leave the first positions out
    tables = [module for name, module in model.named_modules() if f".{name}".endswith(names)]
    skipped = [table.padding_idx + 1 for table in tables if getattr(table, "padding_idx", None) is not None]
    return None if limit is None else limit - max(skipped, default=0)


def _digest(folder: Path, file: str | None) -> str:
    """Digest of what decides a model's output: weights, configuration, tokenizer; or of one GGUF ``file``."""
    chosen = [path for path in folder.iterdir() if path.suffix in WEIGHTS_AND_TOKENIZERS]
    digest = hashlib.sha256()
    for path in sorted(chosen) if file is None else [folder / file]:
        digest.update(path.name.encode())
        with path.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def save_plain(tokenizer: Any, model: Any, folder: Path) -> None:
    """Writes what ``LanguageModel`` loads from a folder; of a dequantised model without its quantisation."""
    settings = {name: value for name, value in model.config.to_dict().items() if name != "quantization_config"}
    with torch.device("meta"):  # no memory of its own
        plain = type(model)(type(model.config).from_dict(settings))
    plain.load_state_dict(model.state_dict(), assign=True)
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _save(tokenizer: Any, model: Any, folder: Path) -> None:
    """Dequantised weights, whole or not at all; where they cannot be written the loaded model serves as well."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    with suppress(OSError, SafetensorError):
        partial.mkdir(parents=True)
        save_plain(tokenizer, model, partial)
        partial.rename(folder)
    shutil.rmtree(partial, ignore_errors=True)
