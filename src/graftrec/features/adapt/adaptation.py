"""The language model learns from the training data which texts belong together; its vectors are then read."""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from graftrec.data.dataset import Dataset
from graftrec.data.files import check_writable, written
from graftrec.errors import InputError, check_choice
from graftrec.features.adapt.memory import AdaptedSizes, adapted_sizes
from graftrec.features.adapt.pairs import PairSampler, TextPairs, check_pairs
from graftrec.features.encoders.language_model import save_plain
from graftrec.features.encoders.transformer import TransformerEncoder
from graftrec.features.lock import locked
from graftrec.features.nodes import FeatureSource, TextFeatures

PAIRS = ("co_interacted", "user_text")
ABOUT = "adaptation.json"


@dataclass(frozen=True)
class Adaptation:
    """Fine-tunes the encoder of text features on ``pairs`` of training texts, by in-batch negatives.

    ``pairs``: ``co_interacted``, two training items of a user; or ``user_text``, a user's own text and a training
    item. ``rank``: of low-rank changes to every linear layer (LoRA: Hu et al., ICLR 2022); None: all weights are
    trained. The loss is MultipleNegativesRankingLoss, cosines times 20 (Henderson et al., 2017).
    """

    pairs: str
    max_pairs: int
    max_pairs_per_user: int
    epochs: int
    batch_size: int
    lr: float
    seed: int
    rank: int | None = None

    def __post_init__(self) -> None:
        check_choice("adapt.pairs", self.pairs, PAIRS)
        least = {"max_pairs": 2, "max_pairs_per_user": 1, "epochs": 1, "batch_size": 2, "rank": 1}
        for name, number in least.items():
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < number):
                raise InputError(f"adapt.{name}={value!r} must be a whole number >= {number}.")
        if not self.lr > 0:
            raise InputError(f"adapt.lr={self.lr!r} must be greater than 0.")

    @property
    def method(self) -> str:
        return "full" if self.rank is None else "lora"

    def __call__(self, source: FeatureSource, dataset: Dataset, folder: Path) -> tuple[TextFeatures, dict[str, Any]]:
        """The features with the adapted encoder, and what adapting it did; models are kept in ``folder``.

        An adapted model is found again by the base model, the texts of the pairs and all settings. It is written
        whole or not at all: what is interrupted starts again.
        """
        features, encoder = _adaptable(source)
        model = self.path(features, dataset, folder)
        if not model.is_dir():
            check_writable(model.parent, "paths.cache")
            with locked(model.parent):
                if not model.is_dir():  # another process has adapted it meanwhile
                    self._adapt(encoder, self.text_pairs(features, dataset), model)
        outcome = json.loads(model.with_name(ABOUT).read_text())["outcome"]
        facts = {"method": self.method, "model": str(model), **outcome}
        print(_report(facts), flush=True)
        adapted = replace(encoder.language_model, name=str(model), revision=None)
        return replace(features, encoder=replace(encoder, model=adapted)), facts

    def check(self, source: FeatureSource, dataset: Dataset) -> None:
        """Refuse what the call would refuse, without long work."""
        features, _ = _adaptable(source)
        packages = ("sentence_transformers", "accelerate", "datasets", *(() if self.rank is None else ("peft",)))
        missing = [name for name in packages if find_spec(name) is None]
        if missing:
            raise InputError(f"adapt={self.method} needs {', '.join(missing)}: pip install 'graftrec[adapt]'.")
        self.text_pairs(features, dataset)

    def path(self, source: FeatureSource, dataset: Dataset, folder: Path) -> Path:
        """Where the adapted model is kept in ``folder``."""
        return folder.expanduser() / self.key(source, dataset) / self.method

    def sizes(self, source: FeatureSource, dataset: Dataset, folder: Path) -> AdaptedSizes | None:
        """What decides how much memory the call takes; None where the adapted model is in ``folder`` already."""
        features, encoder = _adaptable(source)
        if self.path(features, dataset, folder).is_dir():
            return None
        pairs, model = self.text_pairs(features, dataset), encoder.language_model.outline()
        return adapted_sizes(
            model, self.rank, [*pairs.anchors, *pairs.positives], encoder.max_tokens, min(self.batch_size, len(pairs))
        )

    def text_pairs(self, features: TextFeatures, dataset: Dataset) -> TextPairs:
        """What the model learns from, and what it is judged by; a function of the training part and the texts."""
        sampler, items = PairSampler(self.max_pairs, self.max_pairs_per_user, self.seed), features.item_texts(dataset)
        if self.pairs == "co_interacted":
            pairs = sampler.co_interacted(dataset.train, items)
        elif dataset.user_text is None:
            raise InputError("adapt.pairs=user_text, but the data has no text of users; set adapt.pairs=co_interacted.")
        else:
            pairs = sampler.user_text(dataset.train, features.user_texts(dataset), items)
        check_pairs(pairs, self.pairs)
        return pairs

    def key(self, source: FeatureSource, dataset: Dataset) -> str:
        """Digest of what decides the adapted weights; they are float32 whatever the encoder computes in."""
        features, encoder = _adaptable(source)
        base = replace(encoder, model=replace(encoder.language_model, dtype="float32")).fingerprint
        decides = {"base": base, "texts": self.text_pairs(features, dataset).digest, "settings": asdict(self)}
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]

    def _adapt(self, encoder: TransformerEncoder, pairs: TextPairs, model: Path) -> None:
        from graftrec.features.adapt.fine_tuning import fine_tune

        start = time.perf_counter()
        tokenizer, tuned, outcome = fine_tune(encoder, pairs, self)
        outcome["seconds"] = round(time.perf_counter() - start, 1)
        partial = model.with_name(".partial")
        shutil.rmtree(partial, ignore_errors=True)  # by a process that was killed: this one holds the lock
        with written(model.with_name(ABOUT), "paths.cache") as about:
            about.write_text(
                json.dumps({"outcome": outcome, "base": repr(encoder), "settings": asdict(self)}, indent=1)
            )
            save_plain(tokenizer, tuned, partial)
        partial.rename(model)  # last: its presence means that all is there


def _adaptable(source: FeatureSource) -> tuple[TextFeatures, TransformerEncoder]:
    """Features whose encoder can be trained here."""
    encoder = getattr(source, "encoder", None)
    if not isinstance(source, TextFeatures) or not isinstance(encoder, TransformerEncoder):
        name = type(source).__name__ if encoder is None else type(encoder).__name__
        raise InputError(
            f"adapt= fine-tunes a transformer on this machine, but features= gives {name}; choose features=minilm, "
            f"features=smollm2 or features=hf, or set adapt=none."
        )
    return source, encoder


def _report(facts: Mapping[str, Any]) -> str:
    """One line for the user."""
    judged = (
        f"; partner among the 10 nearest of {facts['candidates']:,} held-out texts: "
        f"{facts['found_before']:.3f} before, {facts['found_after']:.3f} after"
        if facts["held_out"]
        else ""
    )
    return (
        f"Language model adapted ({facts['method']}, {facts['trained_parameters']:,} of {facts['parameters']:,} "
        f"parameters): {facts['pairs']:,} pairs, {facts['steps']:,} steps, {facts['seconds']:.0f} s, "
        f"loss {facts['loss_start']:.3f} to {facts['loss_end']:.3f}{judged}. Kept in {facts['model']}"
    )
