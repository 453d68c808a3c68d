"""``input=init``: text is where the ids start."""

from collections.abc import Sequence

from torch import Tensor, nn

from graftrec.errors import InputError
from graftrec.nn.inputs.base import FreeRows, Input, Nodes, free_rows, indices


class InitialisedInput(Input):
    """A vector per node that starts as its text (LLMInit, Zhang et al., EMNLP 2025 industry track).

    ``conditioning`` brings the text to ``dim`` numbers, ``std`` is their standard deviation at the start. ``trained``:
    as free vectors from then on; after ``unfreeze_after`` epochs, if that is more than 0; or, false, never. Nodes
    without text have free vectors, trained from the start; cold nodes with text keep what it gave them.
    """

    def __init__(self, nodes: Nodes, dim: int, std: float = 0.1, trained: bool = True, unfreeze_after: int = 0) -> None:
        super().__init__()
        _check_freezing(trained, unfreeze_after)
        text = nodes.text(std)
        if text.shape[1] != dim:
            raise InputError(
                f"input=init needs text vectors of dim={dim} numbers, and they have {text.shape[1]}; choose "
                f"conditioning=select (LLMInit's), pca or random_projection, with conditioning.dim={dim}."
            )
        self.trained, self.unfreeze_after = trained, unfreeze_after
        kept = nodes.cold & nodes.has_text
        self.register_buffer("start", text, persistent=False)
        self.register_buffer("kept", indices(kept) if kept.any() else None, persistent=False)
        self.start: Tensor
        self.kept: Tensor | None
        self.weight = nn.Parameter(text.clone())
        self.ids: nn.Module = free_rows(~nodes.has_text, dim, std)

    def reset_parameters(self) -> None:
        self.weight.data.copy_(self.start)
        if isinstance(self.ids, FreeRows):
            self.ids.reset_parameters()

    def frozen(self, epoch: int) -> Sequence[nn.Parameter]:
        """The text's rows until they are trained."""
        return () if self.trained and epoch >= self.unfreeze_after else (self.weight,)

    def forward(self) -> Tensor:
        """x0 [N, d]."""
        table = self.ids(self.weight)
        return table if self.kept is None else table.index_copy(0, self.kept, self.start[self.kept])


def _check_freezing(trained: bool, unfreeze_after: int) -> None:
    if isinstance(unfreeze_after, bool) or not isinstance(unfreeze_after, int) or unfreeze_after < 0:
        raise InputError(f"input.unfreeze_after={unfreeze_after!r} must be a whole number of epochs, 0 or more.")
    if not trained and unfreeze_after:
        raise InputError(
            f"input.trained=false never trains the vectors, input.unfreeze_after={unfreeze_after} does after "
            f"{unfreeze_after} epochs; leave one of them out."
        )
