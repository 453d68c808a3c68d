"""From a table row to the sentence that a language model reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from graftrec.errors import InputError

MARK = re.compile(r"\\(?P<literal>[][{}\\])|\{(?P<field>[^{}]*)\}|(?P<bracket>[][])")


@dataclass(frozen=True)
class Part:
    """Literals and fields in turn, beginning and ending with a literal."""

    pieces: list[str]
    optional: bool

    @property
    def fields(self) -> list[str]:
        return self.pieces[1::2]

    def sentence(self, columns: dict[str, pl.Expr]) -> pl.Expr:
        """The part filled in; an empty string where it is optional and a field in it is empty."""
        pieces = [columns[p].fill_null("") if n % 2 else pl.lit(p) for n, p in enumerate(self.pieces)]
        if not self.optional:
            return pl.concat_str(pieces)
        filled = pl.all_horizontal(columns[name].is_not_null() for name in self.fields)
        return pl.when(filled).then(pl.concat_str(pieces)).otherwise(pl.lit(""))


def render(table: pl.DataFrame, template: str | None) -> list[str | None]:
    """One sentence a row, None where every field is empty.

    ``template`` holds column names in braces, such as ``"{title} ({year})"``; an empty field becomes an
    empty string. A part in square brackets is left out where a field in it is empty: ``"{title}[ by
    {author}][, {year}]"``. A backslash makes a bracket or brace part of the text: ``"\\[{title}\\]"``.
    None joins all columns with full stops, leaving empty ones out.
    """
    parts = list(_parts(template)) if template else []
    fields = [name for part in parts for name in part.fields] if template else table.columns
    unknown = [name for name in fields if name not in table.columns]
    if unknown:
        raise InputError(
            f"features.template has the unknown field {unknown[0]!r}; the text columns are {table.columns}."
        )
    if not fields:
        raise InputError(f"features.template={template!r} names no field; put text columns in braces: {table.columns}.")
    columns = {name: pl.col(name).cast(pl.String).str.strip_chars().replace("", None) for name in fields}
    if template:
        sentence = pl.concat_str(part.sentence(columns) for part in parts)
    else:
        sentence = pl.concat_str(columns.values(), separator=". ", ignore_nulls=True)
    some = pl.any_horizontal(column.is_not_null() for column in columns.values())
    return table.select(pl.when(some).then(sentence).alias("text"))["text"].to_list()


def _parts(template: str) -> Iterator[Part]:
    pieces, optional, position = [""], False, 0
    for mark in MARK.finditer(template):
        pieces[-1] += template[position : mark.start()]
        position = mark.end()
        if mark["literal"]:
            pieces[-1] += mark["literal"]
        elif mark["bracket"] is None:
            pieces += [mark["field"], ""]
        else:
            if (mark["bracket"] == "]") != optional or (optional and len(pieces) == 1):
                raise _misplaced(template, mark.start())
            yield Part(pieces, optional)
            pieces, optional = [""], not optional
    pieces[-1] += template[position:]
    if optional:
        raise _misplaced(template, template.rindex("["))
    yield Part(pieces, optional)


def _misplaced(template: str, position: int) -> InputError:
    return InputError(
        f"features.template={template!r}: the bracket at character {position + 1} stands alone, inside another part "
        f"or around no field. Optional parts look like [ by {{author}}]; a bracket of the text is written \\[ or \\]."
    )
