"""The search space, from Hydra's override grammar to Optuna's distributions and back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, QuotedString, Transformer
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from graftrec.errors import InputError

Value = str | int | float | bool | None
MOST_COMPOSED = 64  # overrides lists that show every choice


@dataclass(frozen=True)
class Space:
    """What a sweep varies, and what it sets for all trials; both by the word left of ``=``, such as ``+a.b``."""

    distributions: Mapping[str, BaseDistribution]
    fixed: Mapping[str, str]  # the value as it is typed

    @classmethod
    def parse(cls, params: Mapping[str, Any], words: Sequence[str], loader: ConfigLoader) -> "Space":
        """``params`` of a YAML file, then the ``words`` of the command line, which win."""
        parser = OverridesParser.create(config_loader=loader)
        parsed: dict[str, Override] = {}
        for word in [*(f"{key}={_typed(value)}" for key, value in params.items()), *words]:
            try:
                (override,) = parser.parse_overrides([word])
            except HydraException as error:
                raise InputError(f"{word!r} of the search space cannot be read: {error}") from error
            parsed[override.key_or_group] = override
        varied = {o.get_key_element(): distribution(o) for o in parsed.values() if o.is_sweep_override()}
        fixed = {
            o.get_key_element(): "" if o.is_delete() and o.value() is None else o.get_value_element_as_str()
            for o in parsed.values()
            if not o.is_sweep_override()
        }
        if not varied:
            raise InputError(
                "The sweep has nothing to vary; give it ranges, such as 'optimizer.lr=tag(log,interval(1e-4,1e-1))' "
                "encoder=choice(gcn,lightgcn), or a search space: sweep=lightgcn."
            )
        return cls(varied, fixed)

    def overrides(self, params: Mapping[str, Value]) -> list[str]:
        """The words of one trial."""
        fixed = [f"{key}={value}" if value or key[0] != "~" else key for key, value in self.fixed.items()]
        return [*fixed, *(f"{key}={word(value)}" for key, value in params.items())]

    def grid(self) -> dict[str, list[Value]]:
        """All values of every parameter; refuses a continuous one."""
        return {key: _values(key, distribution) for key, distribution in self.distributions.items()}

    def samples(self) -> Iterable[dict[str, Value]]:
        """A few points that show every choice, and the lowest number of what is no choice."""
        choices = {k: list(d.choices) for k, d in self.distributions.items() if isinstance(d, CategoricalDistribution)}
        numbers = {k: getattr(d, "low", None) for k, d in self.distributions.items() if k not in choices}
        for index in range(min(MOST_COMPOSED, max(map(len, choices.values()), default=1))):
            yield {**numbers, **{key: values[index % len(values)] for key, values in choices.items()}}

    def to_json(self) -> dict[str, str]:
        """What tells this space from another one, plain."""
        varied = {key: distribution_to_json(distribution) for key, distribution in self.distributions.items()}
        return {**self.fixed, **varied}


def distribution(override: Override) -> BaseDistribution:
    """``interval``, ``tag(log, interval)``, ``choice``, ``a,b``, ``glob``, ``range`` as a distribution.

    ``int(interval(1,5))`` is of whole numbers, both ends included. ``range`` leaves its end out, as it does in
    Hydra's own sweeps. ``shuffle`` changes nothing, since the sampler decides on the order.
    """
    sweep = override._value
    try:
        if isinstance(sweep, IntervalSweep):
            return _interval(sweep)
        if override.is_range_sweep():
            return _range(list(override.sweep_iterator()))
        return CategoricalDistribution([_plain(value) for value in _listed(override)])
    except (ValueError, InputError) as error:
        raise InputError(f"{override.input_line}: {error}") from error


def _interval(sweep: IntervalSweep) -> BaseDistribution:
    assert sweep.start is not None
    assert sweep.end is not None
    unknown = sweep.tags - {"log"}
    if unknown:
        raise InputError(f"the tag {', '.join(sorted(unknown))} is unknown; there is tag(log, interval(...)).")
    log = "log" in sweep.tags
    if isinstance(sweep.start, int) and isinstance(sweep.end, int):
        return IntDistribution(sweep.start, sweep.end, log=log)
    return FloatDistribution(float(sweep.start), float(sweep.end), log=log)


def _range(values: list[Any]) -> BaseDistribution:
    if not values:
        raise InputError("the range is empty.")
    low, high = min(values), max(values)
    step = abs(values[1] - values[0]) if len(values) > 1 else 1
    if all(isinstance(value, int) for value in values):
        return IntDistribution(low, high, step=step)
    return FloatDistribution(round(low, 12), round(high, 12), step=round(step, 12))


def _listed(override: Override) -> list[Any]:
    """The choices in the order in which they are typed; shuffled choices would differ at every start."""
    listed = getattr(override._value, "list", None)
    values = list(listed if listed is not None else override.sweep_iterator())
    if not values:
        raise InputError("there is nothing to choose from.")
    return values


def _plain(value: Any) -> Value:
    """What Optuna can store: numbers and null as they are, the rest as it is typed."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(Transformer.str(value))


def word(value: Value) -> str:
    """A parameter's value as it is typed."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else (value if isinstance(value, str) else repr(value))


def _typed(value: Any) -> str:
    """A value of the YAML file as it would be typed: text is read by the grammar."""
    if value is None or isinstance(value, bool | int | float | str):
        return word(value)
    return Override._get_value_element_as_str(_quoted(value))


def _quoted(value: Any) -> Any:
    from hydra.core.override_parser.types import Quote

    if isinstance(value, Mapping):
        return {key: _quoted(entry) for key, entry in value.items()}
    if isinstance(value, str):
        return QuotedString(value, Quote.single)
    return [_quoted(entry) for entry in value] if isinstance(value, Sequence) else value


def _values(key: str, distribution: BaseDistribution) -> list[Value]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if isinstance(distribution, IntDistribution) and not distribution.log:
        return list(range(distribution.low, distribution.high + 1, distribution.step))
    if isinstance(distribution, FloatDistribution) and distribution.step is not None:
        count = round((distribution.high - distribution.low) / distribution.step) + 1
        return [round(distribution.low + index * distribution.step, 12) for index in range(count)]
    raise InputError(f"{key} is continuous, so a grid has no end; take choice(...) or range(...), or another sampler.")
