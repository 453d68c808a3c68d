"""From a catalogue row, or a user's training items, to the question that a language model answers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from graftrec.data.interactions import Interactions
from graftrec.errors import InputError
from graftrec.features.text import render

FIELD = re.compile(r"\{(\w+)\}")  # other braces, such as those of JSON, stay


@dataclass(frozen=True)
class Prompts:
    """Templates with fields in braces: the columns of the node's own text, ``{text}`` for all of them joined, and,
    for users, ``{items}``: a line for each of the user's latest ``max_items`` training items (random ones where no
    time is known).

    ``json_field``: the answer is JSON and this field of it the profile; None: the answer is.
    """

    item: str
    user: str
    item_line: str = "{text}"
    max_items: int = 20
    max_characters: int = 1000
    line_characters: int = 120
    json_field: str | None = None

    def of_items(self, items: pl.DataFrame) -> list[str | None]:
        """One prompt a row; None where no field of it has a text."""
        return _filled("prompts.item", self.item, _values(items, self.max_characters))

    def of_users(self, train: Interactions, items: pl.DataFrame, users: pl.DataFrame | None) -> list[str | None]:
        """One prompt a user, from *training* interactions; None where nothing is known."""
        lines = _filled("prompts.item_line", self.item_line, _values(items, self.line_characters))
        columns = {} if users is None else _values(users, self.max_characters)
        chosen = latest_items(train, self.max_items)
        columns["items"] = [self._listed([lines[item] for item in items_of_user]) for items_of_user in chosen]
        return _filled("prompts.user", self.user, columns)

    def _listed(self, lines: Sequence[str | None]) -> str | None:
        return "\n".join(f"- {line[: self.line_characters]}" for line in lines if line) or None


def latest_items(train: Interactions, most: int) -> list[np.ndarray]:
    """Up to ``most`` items of each user, latest first; a seeded choice where neither time nor order is known."""
    known = train.time if train.time is not None else train.order
    when = known if known is not None else np.random.default_rng(0).permutation(len(train))
    order = np.lexsort((train.item, -when, train.user))
    ends = np.cumsum(train.user_degree)
    return [
        train.item[order[start : min(start + most, end)]]
        for start, end in zip(ends - train.user_degree, ends, strict=True)
    ]


def _values(table: pl.DataFrame, most: int) -> dict[str, Sequence[str | None]]:
    """Texts of each column and, as ``text``, of all of them, cut at ``most`` characters; None where empty."""
    names = [name for name in table.columns if name != "text"]
    texts: dict[str, Sequence[str | None]] = {name: render(table.select(name), None) for name in names}
    texts["text"] = render(table, None) if table.columns else []
    return {name: [None if text is None else text[:most] for text in column] for name, column in texts.items()}


def _filled(setting: str, template: str, columns: Mapping[str, Sequence[str | None]]) -> list[str | None]:
    fields = list(dict.fromkeys(FIELD.findall(template)))
    unknown = [name for name in fields if name not in columns]
    if unknown or not fields:
        what = f"has the unknown field {{{unknown[0]}}}" if unknown else "names no field"
        raise InputError(f"{setting} {what}; known are {', '.join(f'{{{name}}}' for name in columns)}.")
    rows = (dict(zip(fields, row, strict=True)) for row in zip(*(columns[name] for name in fields), strict=True))
    return [_fill(template, row) if any(row.values()) else None for row in rows]


def _fill(template: str, row: Mapping[str, str | None]) -> str:
    return FIELD.sub(lambda match: row[match[1]] or "", template)
