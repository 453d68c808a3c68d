"""The weighted sum of loss terms."""

from collections.abc import Mapping

from torch import Tensor, nn

from graftrec.errors import InputError
from graftrec.graph.views import Pass, View
from graftrec.objectives.step import Step, Term


class Objective(nn.Module):
    """loss = sum over terms of ``weights[name]`` * ``terms[name]``(step).

    ``views`` change the forward pass that all terms share, in their order. Terms and views with parameters
    are modules and are trained with the model. A term of weight 0 plays no part.
    """

    def __init__(
        self, terms: Mapping[str, Term], weights: Mapping[str, float], views: Mapping[str, View] | None = None
    ) -> None:
        super().__init__()
        if set(terms) != set(weights):
            raise InputError(
                f"objective.terms {sorted(terms)} and objective.weights {sorted(weights)} must name the same."
            )
        self.terms = {name: term for name, term in terms.items() if weights[name] != 0}
        self.weights = weights
        self.views = dict(views or {})
        self.trained_terms = _modules(self.terms)
        self.trained_views = _modules(self.views)

    @property
    def passes(self) -> int:
        """Forward passes in a step."""
        return 1 + sum(term.passes for term in self.terms.values())

    @property
    def whole(self) -> bool:
        """Whether a term asks for more of the shared pass than the batch's rows."""
        return any(term.whole for term in self.terms.values())

    @property
    def graphs(self) -> int:
        """Graphs in memory: the whole one and those of views."""
        return 1 + sum(term.graphs for term in self.terms.values())

    def view(self, start: Pass) -> Pass:
        """The shared pass."""
        for view in self.views.values():
            start = view(start)
        return start

    def check_shareable(self) -> None:
        """Refuse terms that several processes with some of the batch's pairs each could not compute."""
        for name, term in self.terms.items():
            if term.whole_batch:
                raise InputError(
                    f"objective.terms.{name} is no mean over the pairs of a batch, which trainer=ddp shares among "
                    f"processes: {term.whole_batch}, or choose trainer=cpu or trainer=gpu."
                )

    def forward(self, step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and each term before its weight."""
        values = {name: term(step) for name, term in self.terms.items()}
        if not values:
            raise InputError("objective.weights are all 0; give one term a weight.")
        weighted = [self.weights[name] * value for name, value in values.items()]
        return sum(weighted[1:], weighted[0]), values


def _modules(parts: Mapping[str, object]) -> nn.ModuleDict:
    return nn.ModuleDict({name: part for name, part in parts.items() if isinstance(part, nn.Module)})
