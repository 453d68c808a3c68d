"""The weighted sum of loss terms."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from graftrec.errors import InputError
from graftrec.objectives.step import Step, Term


@dataclass(frozen=True)
class Objective:
    """loss = sum over terms of ``weights[name]`` * ``terms[name]``(step)."""

    terms: Mapping[str, Term]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if set(self.terms) != set(self.weights):
            raise InputError(
                f"objective.terms {sorted(self.terms)} and objective.weights {sorted(self.weights)} must name the same."
            )

    @property
    def negatives(self) -> set[str]:
        """The kinds of sampled negatives that its terms use: per_positive, shared."""
        return {term.negatives for name, term in self.terms.items() if self.weights[name] and term.negatives}

    def check_shareable(self) -> None:
        """Refuse terms that several processes with some of the batch's pairs each could not compute."""
        for name, term in self.terms.items():
            if self.weights[name] and term.whole_batch:
                raise InputError(
                    f"objective.terms.{name} is no mean over the pairs of a batch, which trainer=ddp shares among "
                    f"processes: {term.whole_batch}, or choose trainer=cpu or trainer=gpu."
                )

    def __call__(self, step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and each term before its weight. A term of weight 0 is not computed."""
        values = {name: term(step) for name, term in self.terms.items() if self.weights[name] != 0}
        if not values:
            raise InputError("objective.weights are all 0; give one term a weight.")
        weighted = [self.weights[name] * value for name, value in values.items()]
        return sum(weighted[1:], weighted[0]), values
