"""Fine-tuning with sentence-transformers' trainer. Imported inside functions alone: its libraries take seconds."""

import math
import tempfile
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.modules import InputModule
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Pooling
from torch.nn.utils.rnn import pad_sequence
from transformers import MODEL_MAPPING, TrainerCallback
from transformers.trainer_callback import PrinterCallback

from graftrec.errors import InputError
from graftrec.features.adapt.pairs import TextPairs
from graftrec.features.encoders.tokens import TokenReader
from graftrec.features.encoders.transformer import TransformerEncoder
from graftrec.features.progress import Advance, progress

if TYPE_CHECKING:
    from graftrec.features.adapt.adaptation import Adaptation

POOLINGS = {"mean": "mean", "weighted_mean": "weightedmean", "max": "max", "cls": "cls", "last": "lasttoken"}
NEAREST = 10  # texts among which a held-out partner is looked for


class ReadingModule(InputModule):
    """Texts to hidden states as ``TransformerEncoder`` reads them: prompt, chat template, cuts."""

    def __init__(self, reader: TokenReader, model: Any) -> None:
        super().__init__()
        self.reader, self.model = reader, model

    def preprocess(self, inputs: Any, prompt: str | None = None, **settings: Any) -> dict[str, torch.Tensor]:
        rows = [torch.tensor(numbers) for numbers in self.reader(list(inputs))]
        mask = [torch.ones_like(row) for row in rows]
        return {
            "input_ids": pad_sequence(rows, batch_first=True),
            "attention_mask": pad_sequence(mask, batch_first=True),
        }

    def forward(self, features: dict[str, Any], **settings: Any) -> dict[str, Any]:
        read = {name: features[name] for name in ("input_ids", "attention_mask")}
        return {**features, "token_embeddings": self.model(**read).last_hidden_state}

    def save(self, output_path: str, *args: Any, **settings: Any) -> None:
        raise NotImplementedError("adapted models are saved as plain transformers")


class Trainer(SentenceTransformerTrainer):
    """Without the model card, for which examples would be encoded."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        pass


class Watch(TrainerCallback):
    """Moves the progress bar."""

    def __init__(self, advance: Advance) -> None:
        self.advance = advance

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self.advance(1, 1)


class WatchedLoss(MultipleNegativesRankingLoss):
    """Keeps the number of pairs and the loss of every batch."""

    def __init__(self, sentences: SentenceTransformer) -> None:
        super().__init__(sentences)
        self.seen: list[tuple[int, float]] = []

    def forward(self, sentence_features: Any, *others: Any) -> torch.Tensor:
        loss = super().forward(sentence_features, *others)
        self.seen.append((len(sentence_features[0]["input_ids"]), float(loss.detach())))
        return loss

    def first_and_last(self) -> tuple[float, float]:
        """Mean of the first and the last tenth of the largest batches: of fewer pairs it is lower, of one 0."""
        largest = max(pairs for pairs, _ in self.seen)
        losses = [loss for pairs, loss in self.seen if pairs == largest]
        tenth = max(1, len(losses) // 10)
        return float(np.mean(losses[:tenth])), float(np.mean(losses[-tenth:]))


def fine_tune(
    encoder: TransformerEncoder, pairs: TextPairs, adaptation: "Adaptation"
) -> tuple[Any, Any, dict[str, Any]]:
    """Tokenizer, adapted model (low-rank changes merged into it) and what came of it."""
    reader, model = encoder.load(replace(encoder.language_model, dtype="float32"))
    whole: Any = MODEL_MAPPING.get(type(model.config), object)
    if not isinstance(model, whole):  # it could not be loaded again
        raise InputError(
            f"adapt= trains encoders and decoders, but {encoder.language_model.name} is the encoder half of a larger "
            f"model; choose another features.encoder.model, or set adapt=none."
        )
    parameters = model.num_parameters()
    with torch.random.fork_rng():
        torch.manual_seed(adaptation.seed)
        trained = model if adaptation.rank is None else with_lora(model, adaptation.rank)
        trained_parameters = sum(weights.numel() for weights in trained.parameters() if weights.requires_grad)
        pooling = Pooling(model.config.get_text_config().hidden_size, POOLINGS[encoder.pooling])
        sentences = SentenceTransformer(modules=[ReadingModule(reader, trained), pooling], device=str(model.device))
        before = found(sentences, pairs.held_out)
        losses = train(sentences, pairs.training, adaptation)
        after = found(sentences, pairs.held_out)
    outcome = {
        "pairs": len(pairs.training),
        "held_out": len(pairs.held_out),
        "candidates": len(set(pairs.held_out.positives)),
        "parameters": parameters,
        "trained_parameters": trained_parameters,
        **losses,
        "found_before": before,
        "found_after": after,
    }
    return reader.tokenizer, merged(trained), outcome


def with_lora(model: Any, rank: int) -> Any:
    """``model`` with trainable low-rank changes to all its linear layers, twice as strong as ``rank`` makes them."""
    from peft import LoraConfig, get_peft_model

    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear"))


def merged(trained: Any) -> Any:
    """A plain transformer, with low-rank changes added to its weights."""
    return trained.merge_and_unload() if hasattr(trained, "merge_and_unload") else trained


def train(sentences: SentenceTransformer, pairs: TextPairs, adaptation: "Adaptation") -> dict[str, float]:
    """Trains in place; number of steps, mean loss of the first and the last tenth of them."""
    steps = math.ceil(len(pairs) / adaptation.batch_size) * adaptation.epochs
    with tempfile.TemporaryDirectory() as unused, progress("Adapting", steps, steps, "steps") as advance:
        settings = SentenceTransformerTrainingArguments(
            output_dir=unused,
            num_train_epochs=adaptation.epochs,
            per_device_train_batch_size=adaptation.batch_size,
            learning_rate=adaptation.lr,
            warmup_steps=steps // 10,
            batch_sampler="no_duplicates",  # a text is never its own negative
            seed=adaptation.seed,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=sentences.device.type == "cpu",
            dataloader_pin_memory=False,
        )
        disable_progress_bars()  # of datasets
        rows = Dataset.from_dict({"anchor": pairs.anchors, "positive": pairs.positives})
        loss = WatchedLoss(sentences)
        with warnings.catch_warnings(action="ignore", category=FutureWarning):  # among these libraries
            trainer = Trainer(sentences, settings, rows, loss=loss, callbacks=[Watch(advance)])
            trainer.remove_callback(PrinterCallback)
            trainer.train()
    start, end = loss.first_and_last()
    return {"steps": trainer.state.global_step, "loss_start": start, "loss_end": end}


def found(sentences: SentenceTransformer, pairs: TextPairs) -> float | None:
    """Share of anchors with their partner among the nearest of all partners; None without pairs."""
    if not len(pairs):
        return None
    candidates = sorted(set(pairs.positives))
    vectors = [
        sentences.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        for texts in (pairs.anchors, candidates)
    ]
    cosines = vectors[0] @ vectors[1].T  # [pairs, candidates]
    partner = np.searchsorted(candidates, pairs.positives)
    own = cosines[np.arange(len(pairs)), partner]
    return float(((cosines > own[:, None]).sum(1) < NEAREST).mean())
