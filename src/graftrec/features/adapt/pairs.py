"""Pairs of texts that belong together, drawn from training interactions alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from graftrec.data.interactions import Interactions
from graftrec.errors import InputError

Texts = Sequence[str | None]  # one a node, None where it has none
MOST_HELD_OUT = 256


@dataclass(frozen=True)
class TextPairs:
    """Distinct pairs (anchor, positive) of different texts, in random order."""

    anchors: list[str]
    positives: list[str]

    def __len__(self) -> int:
        return len(self.anchors)

    def __getitem__(self, rows: slice) -> "TextPairs":
        return TextPairs(self.anchors[rows], self.positives[rows])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all texts in their order."""
        digests = [hashlib.sha256(text.encode()).digest() for text in [*self.anchors, *self.positives]]
        return hashlib.sha256(b"".join(digests)).hexdigest()

    @property
    def training(self) -> "TextPairs":
        """All but those that are held out."""
        return self[self._held_out :]

    @property
    def held_out(self) -> "TextPairs":
        """A tenth of the pairs, at most 256, by which the model is judged before and after."""
        return self[: self._held_out]

    @property
    def _held_out(self) -> int:
        return min(MOST_HELD_OUT, len(self) // 10)


@dataclass(frozen=True)
class PairSampler:
    """At most ``max_pairs`` pairs and ``max_pairs_per_user`` of one user, whose pairs are all equally likely.

    A function of the *training* interactions, the texts and ``seed``.
    """

    max_pairs: int
    max_pairs_per_user: int
    seed: int

    def co_interacted(self, train: Interactions, items: Texts) -> TextPairs:
        """Texts of two different training items of a user, in one order of the two."""
        user, item = _with_text(train, items)
        count = np.bincount(user, minlength=train.num_users)
        start = np.cumsum(count) - count
        generator = np.random.default_rng(self.seed)
        users, draws = self._drawn(count * (count - 1), generator)
        first, second = np.divmod(draws, np.maximum(count[users] - 1, 1))
        second += second >= first  # the second counts the user's other items
        rows = np.stack([item[start[users] + first], item[start[users] + second]])
        _, distinct = np.unique(np.sort(rows, axis=0), axis=1, return_index=True)
        return _pairs(items, items, rows[:, generator.permutation(distinct)])

    def user_text(self, train: Interactions, users: Texts, items: Texts) -> TextPairs:
        """A user's own text and that of a training item."""
        user, item = _with_text(train, items)
        told = np.array([text is not None for text in users])[user]
        user, item = user[told], item[told]
        count = np.bincount(user, minlength=train.num_users)
        generator = np.random.default_rng(self.seed)
        chosen, draws = self._drawn(count, generator)
        rows = np.stack([chosen, item[(np.cumsum(count) - count)[chosen] + draws]])
        return _pairs(users, items, rows[:, generator.permutation(rows.shape[1])])

    def _drawn(self, possible: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Users, int64 [n], and for each a number below ``possible`` [U]; no number twice for a user."""
        offered = np.minimum(possible, self.max_pairs_per_user)
        ends = np.cumsum(offered)
        kept = generator.choice(int(ends[-1]), min(self.max_pairs, int(ends[-1])), replace=False)
        taken = np.bincount(np.searchsorted(ends, kept, side="right"), minlength=len(offered))
        users = np.flatnonzero(taken)
        draws = [generator.choice(possible[user], taken[user], replace=False) for user in users]
        return np.repeat(users, taken[users]), np.concatenate([np.empty(0, dtype=np.int64), *draws])


def check_pairs(pairs: TextPairs, name: str) -> None:
    """Refuse too few to learn from."""
    if len(pairs) < 2:
        raise InputError(
            f"adapt.pairs={name} finds {len(pairs)} pairs of different texts in the training part; at least 2 are "
            f"needed: bring more texts or interactions, or set adapt=none."
        )


def _with_text(train: Interactions, items: Texts) -> tuple[np.ndarray, np.ndarray]:
    """Users and items of the training pairs whose item has a text."""
    present = np.array([text is not None for text in items])[train.item]
    return train.user[present], train.item[present]


def _pairs(anchors: Texts, positives: Texts, rows: np.ndarray) -> TextPairs:
    """The texts of ``rows`` [2, n]; equal ones teach nothing."""
    texts = [(anchors[a], positives[b]) for a, b in rows.T.tolist()]
    kept = [(a, b) for a, b in dict.fromkeys(texts) if a is not None and b is not None and a != b]
    return TextPairs([a for a, _ in kept], [b for _, b in kept])
