"""A language model describes items and users; what it writes becomes a text column, which is encoded like any other."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError, check_choice
from graftrec.features.profiles.answers import Answers, Malformed, Outcome
from graftrec.features.profiles.base import Generator
from graftrec.features.profiles.prompts import Prompts

Ask = Callable[[Sequence[str | None], str], list[Outcome]]  # (prompts, name of the node type)
OF = ("items", "users", "both")
COLUMN = "profile"


@dataclass(frozen=True)
class Profiles:
    """Adds the text column ``profile`` to items, users or both (RLMRec: Ren et al., WWW 2024; KAR: Xi et al., 2023).

    An item's prompt reads its text, a user's prompt the user's *training* items; with ``both`` it may read their new
    profiles. Answers that are empty, shorter than ``min_characters`` or not the JSON that was asked for are tried
    again, up to ``tries`` times in all; a node without a good one has no profile.
    """

    generator: Generator
    prompts: Prompts
    folder: str
    of: str = "items"
    tries: int = 3
    min_characters: int = 20

    def __post_init__(self) -> None:
        check_choice("profile.of", self.of, OF)

    def __call__(self, dataset: Dataset) -> Dataset:
        return self._written(dataset, self._ask)

    def outline(self, dataset: Dataset) -> Dataset:
        """The same columns with the prompts in the place of the answers; refuses what the call would refuse."""
        return self._written(dataset, lambda prompts, name: [Outcome(prompt) for prompt in prompts])

    def _written(self, dataset: Dataset, ask: Ask) -> Dataset:
        if dataset.item_text is None:
            raise InputError("The data has no item text to write profiles from; set data.items and data.item_text.")
        if self.of in ("items", "both"):
            prompts = self.prompts.of_items(dataset.item_text)
            dataset = replace(dataset, item_text=_with(dataset.item_text, ask(prompts, "item")))
        if self.of in ("users", "both"):
            check_unseen(dataset)
            assert dataset.item_text is not None
            prompts = self.prompts.of_users(dataset.train, dataset.item_text, dataset.user_text)
            dataset = replace(dataset, user_text=_with(dataset.user_text, ask(prompts, "user")))
        return dataset

    def _ask(self, prompts: Sequence[str | None], name: str) -> list[Outcome]:
        settings = json.dumps(self.generator.fingerprint, sort_keys=True)
        folder = Path(self.folder).expanduser() / hashlib.sha256(settings.encode()).hexdigest()[:32]
        asked = [prompt for prompt in prompts if prompt is not None]
        outcomes = iter(Answers(folder, self.tries).get(self.generator, asked, self._read, f"Profiles of {name}s"))
        by_node = [Outcome(None) if prompt is None else next(outcomes) for prompt in prompts]
        print(report(name, by_node, self.tries, folder), flush=True)
        return by_node

    def _read(self, answer: str) -> str:
        text = answer if self.prompts.json_field is None else field_of(answer, self.prompts.json_field)
        if not text.strip():
            raise Malformed("empty")
        if len(text.strip()) < self.min_characters:
            raise Malformed(f"shorter than {self.min_characters} characters")
        return text.strip()


def check_unseen(dataset: Dataset) -> None:
    """Refuse training pairs that are held out, too: a user's profile would tell what is to be predicted."""
    held_out = np.union1d(dataset.valid.keys, dataset.test.keys)
    told = int(np.isin(dataset.train.keys, held_out).sum())
    if told:
        raise InputError(
            f"{told:,} of {len(dataset.train):,} training pairs of {dataset.id} are validation or test pairs, too: "
            f"profiles of users would tell what is to be predicted; mend the split, or set profile.of=items."
        )


def field_of(answer: str, name: str) -> str:
    """A text field of the JSON object in ``answer``, around which there may be other words."""
    try:
        found = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])[name]
    except (ValueError, KeyError) as error:
        raise Malformed("not the JSON asked for") from error
    if not isinstance(found, str):
        raise Malformed("not the JSON asked for")
    return found


def report(name: str, outcomes: Sequence[Outcome], tries: int, folder: Path) -> str:
    """How many nodes have a profile, and why others have none."""
    written = sum(outcome.text is not None for outcome in outcomes)
    problems = Counter(outcome.problem for outcome in outcomes if outcome.problem is not None)
    silent = len(outcomes) - written - problems.total()
    told = [f"{count:,} malformed in {tries} tries ({problem})" for problem, count in problems.most_common()]
    told += [f"{silent:,} without a text to ask about"] if silent else []
    advice = (
        "; these have no profile: features.missing says what they get where they have no other text" if told else ""
    )
    return (
        f"Profiles of {name}s: {', '.join([f'{written:,} of {len(outcomes):,} written', *told])}{advice}. See {folder}"
    )


def _with(table: pl.DataFrame | None, outcomes: Sequence[Outcome]) -> pl.DataFrame:
    column = pl.Series(COLUMN, [outcome.text for outcome in outcomes], dtype=pl.String)
    return column.to_frame() if table is None else table.with_columns(column)
