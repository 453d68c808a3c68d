"""Where each node type's block lies among all nodes."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class NodeSpace:
    """Nodes 0..U-1 are users, U..U+I-1 items. The only place that knows it."""

    num_users: int
    num_items: int

    @property
    def num_nodes(self) -> int:
        return self.num_users + self.num_items

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Rows [N, ...] to (user rows [U, ...], item rows [I, ...]); views, no copy."""
        return x[: self.num_users], x[self.num_users :]

    def item_nodes(self, items: Tensor) -> Tensor:
        """Node numbers of ``items``."""
        return items + self.num_users
