"""From the hidden states of a sentence's tokens to one vector; hidden [B, tokens, F] to [B, F].

All sentences of a batch have the same number of tokens: there is no padding to mask out.
"""

import torch
from torch import Tensor


def mean(hidden: Tensor) -> Tensor:
    """Mean over the tokens (Reimers & Gurevych, EMNLP 2019)."""
    return hidden.mean(1)


def weighted_mean(hidden: Tensor) -> Tensor:
    """Mean with weights i / (1 + 2 + ... + S) for token i of S: later tokens of a causal model have read more.

    Muennighoff, SGPT (2022), equation 2.
    """
    positions = torch.arange(1, hidden.shape[1] + 1, dtype=hidden.dtype, device=hidden.device)
    return torch.einsum("bsf,s->bf", hidden, positions / positions.sum())


def maximum(hidden: Tensor) -> Tensor:
    """Greatest value of each dimension over the tokens."""
    return hidden.amax(1)


def cls(hidden: Tensor) -> Tensor:
    """The first token, BERT's [CLS]."""
    return hidden[:, 0]


def last(hidden: Tensor) -> Tensor:
    """The last token, the only one of a causal model that has read the whole sentence."""
    return hidden[:, -1]


POOLINGS = {"mean": mean, "weighted_mean": weighted_mean, "max": maximum, "cls": cls, "last": last}
