"""What one of several training processes does of a batch, and how results come together."""

from typing import NamedTuple

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.plugins.environments import LightningEnvironment
from torch import Tensor, distributed

from graftrec.objectives.step import Batch


class OneMachine(LightningEnvironment):
    """Tells Lightning the number of this process, and that all processes are started for it."""

    def __init__(self, rank: int, port: int) -> None:
        super().__init__()
        self.rank = rank
        self.port = port

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        return self.port

    def local_rank(self) -> int:
        return self.rank

    def node_rank(self) -> int:
        return 0


class Part(NamedTuple):
    """One process's pairs of a batch. ``weight`` is what its mean loss counts in the mean over processes."""

    batch: Batch
    num_pairs: int
    weight: float


def part_of(batch: Batch, trainer: Trainer) -> Part:
    """The pairs of this process: all processes' weighted gradients average to the gradient of the whole batch.

    Shared negatives are everybody's. Where there are fewer pairs than processes, those without one take the
    first pair with weight 0, since all of them have to come to the same number of backward passes.
    """
    if trainer.world_size == 1:
        return Part(batch, len(batch.users), 1.0)
    rows = torch.arange(len(batch.users), device=batch.users.device).tensor_split(trainer.world_size)
    own = rows[trainer.global_rank]
    taken = own if len(own) else rows[0][:1]
    part = Batch(batch.users[taken], batch.items[taken], batch.negatives[taken], batch.shared)
    return Part(part, len(own), len(own) * trainer.world_size / len(batch.users))


def own_users(users: Tensor, trainer: Trainer) -> Tensor:
    """The users of a block that this process ranks for."""
    return users.tensor_split(trainer.world_size)[trainer.global_rank]


def of_all(own: Tensor, trainer: Trainer) -> Tensor:
    """The rows of all processes, in their order, on the CPU."""
    if trainer.world_size == 1:
        return own
    parts: list[Tensor] = [own] * trainer.world_size
    distributed.all_gather_object(parts, own.cpu())
    return torch.cat(parts)
