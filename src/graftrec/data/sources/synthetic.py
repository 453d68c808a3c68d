"""A seeded generator whose latent groups both the interactions and the titles express."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from graftrec.data.sources.base import RawData, Source
from graftrec.errors import InputError

THEMES = (
    "kitchen", "garden", "ocean", "jazz", "chess", "desert", "football", "winter", "robot", "painting",
    "coffee", "bicycle", "medieval", "space", "bakery", "forest", "opera", "fishing", "camera", "yoga",
)  # fmt: skip
OBJECTS = ("guide", "poster", "kit", "story", "box", "lamp", "handbook", "puzzle", "bag", "album")


@dataclass(frozen=True, kw_only=True)
class SyntheticSource(Source):
    """Users and items belong to latent groups; a draw stays in the user's group with ``loyalty``.

    Within the reachable items the draw is skewed: item weight 1 / (1 + rank)^``skew``. A title names
    its group's theme, so that text carries what interactions carry. Pairs may repeat.
    """

    num_users: int = 1_000
    num_items: int = 500
    num_interactions: int = 30_000
    num_groups: int = 10
    loyalty: float = 0.8
    skew: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.num_groups <= min(len(THEMES), self.num_items):
            raise InputError(f"data.num_groups={self.num_groups} must lie in 1..{min(len(THEMES), self.num_items)}.")

    def read(self) -> RawData:
        rng = np.random.default_rng(self.seed)
        users = rng.integers(self.num_users, size=self.num_interactions)
        groups = np.where(
            rng.random(self.num_interactions) < self.loyalty,
            users % self.num_groups,
            rng.integers(self.num_groups, size=self.num_interactions),
        )
        interactions = pl.DataFrame(
            {
                "user": users,
                "item": self._items(groups, rng),
                "time": 1.6e9 + np.sort(rng.random(self.num_interactions)) * 3e7,
            }
        )
        return RawData(interactions, self._titles(), self._profiles())

    def _items(self, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One item of each given group: item i belongs to group i % num_groups, at rank i // num_groups."""
        sizes = (self.num_items - np.arange(self.num_groups) - 1) // self.num_groups + 1
        cumulative = np.cumsum(1.0 / (1.0 + np.arange(sizes.max())) ** self.skew)
        draw = rng.random(len(groups)) * cumulative[sizes[groups] - 1]
        return np.searchsorted(cumulative, draw) * self.num_groups + groups

    def _titles(self) -> pl.DataFrame:
        items = np.arange(self.num_items)
        titles = [f"{THEMES[i % self.num_groups]} {OBJECTS[i % len(OBJECTS)]} number {i}" for i in items]
        return pl.DataFrame({"item": items, "title": titles})

    def _profiles(self) -> pl.DataFrame:
        users = np.arange(self.num_users)
        return pl.DataFrame({"user": users, "profile": [f"likes {THEMES[u % self.num_groups]}" for u in users]})
