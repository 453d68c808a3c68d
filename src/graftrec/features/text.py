"""From a table row to the sentence that a language model reads."""

import re

import polars as pl

from graftrec.errors import InputError

FIELD = re.compile(r"\{([^{}]*)\}")


def render(table: pl.DataFrame, template: str | None) -> list[str | None]:
    """One sentence a row, None where every field is empty.

    ``template`` holds column names in braces, such as ``"{title} ({year})"``; None joins all columns
    with full stops, leaving empty ones out. In a template an empty field becomes an empty string.
    """
    fields = FIELD.findall(template) if template else table.columns
    unknown = [name for name in fields if name not in table.columns]
    if unknown:
        raise InputError(
            f"features.template has the unknown field {unknown[0]!r}; the text columns are {table.columns}."
        )
    if not fields:
        raise InputError(f"features.template={template!r} names no field; put text columns in braces: {table.columns}.")
    clean = {name: pl.col(name).cast(pl.String).str.strip_chars().replace("", None) for name in fields}
    if template:
        pieces = enumerate(FIELD.split(template))  # literal, field, literal, ..., field, literal
        sentence = pl.concat_str(clean[piece].fill_null("") if index % 2 else pl.lit(piece) for index, piece in pieces)
    else:
        sentence = pl.concat_str(clean.values(), separator=". ", ignore_nulls=True)
    some = pl.any_horizontal(column.is_not_null() for column in clean.values())
    return table.select(pl.when(some).then(sentence).alias("text"))["text"].to_list()
