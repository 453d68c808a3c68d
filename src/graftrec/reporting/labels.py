"""Names of variants: in short words what differs between them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

EXPLAINED_BY: Final = {"negatives": ("objective",)}  # some objectives choose their negatives
ABSENT: Final = "default"  # a setting that an earlier version did not have
ONLY: Final = "the only variant"
OF_BLENDS: Final = ("first", "second")  # their members


def label(variants: Sequence[Mapping[str, Any]]) -> list[str]:
    """One name a variant, such as ``encoder=gcn lr=0.01``.

    Each maps names of groups (``encoder``) and dotted settings (``encoder.num_layers``) to values, groups first.
    A setting is left out where one that is named already implies it: the same values, or a choice of its own group
    or of a recipe (``experiment``).
    """
    columns = {name: [_shown(v, name) for v in variants] for name in dict.fromkeys(n for v in variants for n in v)}
    named: dict[str, list[str]] = {}
    for name, values in _ordered(columns).items():
        implied = any(_implies(named[other], values) for other in _explaining(name) if other in named)
        if len(set(values)) > 1 and not implied and values not in named.values():
            named[name] = values
    heads = _shortest(list(named))
    rows = [[_word(heads[name], values[row]) for name, values in named.items()] for row in range(len(variants))]
    return _unlike([" ".join(filter(None, words)) or _plain(v) for words, v in zip(rows, variants, strict=True)])


def _explaining(name: str) -> list[str]:
    """What may imply the values of ``name``; of a member of a blend its own recipe, choices and the blend's name."""
    place, inner = _placed(name)
    group = inner.split(".")[0]
    choices = ("experiment", "baseline", group, *EXPLAINED_BY.get(group, ()))
    return ["baseline", *(f"{place}{choice}" for choice in choices)]


def _placed(name: str) -> tuple[str, str]:
    """The member of a blend that a setting belongs to ("second.", or "" of no blend), and the setting."""
    place, _, inner = name.partition(".")
    return (f"{place}.", inner) if place in OF_BLENDS else ("", name)


def _unlike(names: Sequence[str]) -> list[str]:
    """A number behind each name that stood before, such as those of values that are written alike."""
    before = (names[:index].count(name) for index, name in enumerate(names))
    return [f"{name} ({count + 1})" if count else name for name, count in zip(names, before, strict=True)]


def _ordered(columns: dict[str, list[str]]) -> dict[str, list[str]]:
    """Recipes and recommenders without training first: they imply the rest; settings of the whole before a group's."""
    rank = {"experiment": 0, "baseline": 0}
    return dict(sorted(columns.items(), key=lambda column: rank.get(_placed(column[0])[1], 1)))


def _plain(variant: Mapping[str, Any]) -> str:
    """Of the only variant there is, or of one that differs in nothing that has a name."""
    if "baseline" in variant:
        return str(variant["baseline"])
    return f"encoder={variant['encoder']}" if "encoder" in variant else ONLY


def _shown(variant: Mapping[str, Any], name: str) -> str:
    """The value as text; a group or setting that a recommender without training lacks is empty."""
    if name in variant:
        return "" if name == "experiment" and variant[name] is None else str(variant[name])
    lacking = "baseline" in variant or name.split(".")[0] in ("baseline", "blend", *OF_BLENDS)
    return "" if lacking else ABSENT


def _word(head: str, value: str) -> str:
    if not value:
        return ""
    return value if head == "baseline" else f"{head}={value.replace(' ', '')}"


def _implies(given: Sequence[str], values: Sequence[str]) -> bool:
    """Whether variants with the same given value have the same value here."""
    known: dict[str, str] = {}
    return all(known.setdefault(first, value) == value for first, value in zip(given, values, strict=True))


def _shortest(names: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted name, or all of it where another ends alike."""
    last = [name.split(".")[-1] for name in names]
    return {name: short if last.count(short) == 1 else name for name, short in zip(names, last, strict=True)}
