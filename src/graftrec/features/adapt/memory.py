"""How much memory adapting a language model takes, from the sizes of the model and of a batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from torch import nn

LIBRARIES: Final = 300 * 2**20  # bytes of sentence-transformers, datasets and peft once they are imported
BYTES_PER_TOKEN: Final = 4  # of UTF-8, as of English words


@dataclass(frozen=True)
class AdaptedSizes:
    """The numbers that decide it; all are float32 while the model is trained."""

    parameters: int
    trained: int  # of them, or beside them: low-rank changes
    texts: int  # of a batch: two for each pair
    tokens: int  # of its longest text, to which the others are padded
    linear: int  # numbers that go into and come out of all linear layers, for each token
    heads: int  # of attention, in all layers together

    @property
    def bytes(self) -> int:
        """Weights; of what is trained the gradient and Adam's two moments; what a batch keeps for the gradient.

        Attention keeps three tables [tokens, tokens] of each head and text: the shares, and what dropout makes of them.
        Of MiniLM on a CPU this is 0.8 (lora) to 1.07 (full) of the measured peak, in batches of 32 x 2 texts.
        """
        low_rank = self.trained if self.trained < self.parameters else 0
        weights = self.parameters + low_rank + 3 * self.trained
        batch = self.texts * self.tokens * (self.linear + 3 * self.heads * self.tokens)
        return LIBRARIES + 4 * (weights + batch)


def adapted_sizes(model: Any, rank: int | None, texts: Iterable[str], max_tokens: int, batch_size: int) -> AdaptedSizes:
    """Of ``model``, which may be without weights, and batches of ``batch_size`` pairs of ``texts``."""
    widths = [layer.in_features + layer.out_features for layer in model.modules() if isinstance(layer, nn.Linear)]
    parameters = sum(weights.numel() for weights in model.parameters())
    settings = model.config.get_text_config()
    longest = max(len(text.encode()) for text in texts)
    return AdaptedSizes(
        parameters,
        parameters if rank is None else rank * sum(widths),
        texts=2 * batch_size,
        tokens=min(max_tokens, -(-longest // BYTES_PER_TOKEN)),
        linear=sum(widths),
        heads=settings.num_hidden_layers * settings.num_attention_heads,
    )
