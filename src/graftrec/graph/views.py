"""Views: forward passes over a thinner graph, from a partly hidden input, or with noise on the layers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from graftrec.errors import InputError, check_choice
from graftrec.graph.behaviours import BehaviourGraph
from graftrec.graph.graph import Graph
from graftrec.graph.propagate import SparseMatrix


@dataclass(frozen=True, eq=False)
class Pass:
    """What one forward pass starts from: input vectors ``x0`` [N, d] and a graph.

    ``epoch`` is (seed, number of the epoch), the key of what is drawn once an epoch. What is drawn at every
    pass comes from torch's default generator, which each training step seeds.
    """

    graph: Graph
    x0: Tensor
    epoch: tuple[int, int] = (0, 0)
    hooks: tuple[Callable[[Tensor, int], Tensor], ...] = ()  # change each new layer
    masked: Tensor | None = None  # nodes whose input is hidden, int64 [M]

    def hook(self, x: Tensor, index: int) -> Tensor:
        """The layer ``x`` [N, d] after all hooks."""
        for hook in self.hooks:
            x = hook(x, index)
        return x


View = Callable[[Pass], Pass]
CPU_BLOCK: Final = 2048  # rows: 0.5 MB at d = 64


@dataclass(frozen=True)
class Noise:
    """x + sign(x) * ``epsilon`` * u / |u| with u uniform in (0, 1)^d, after every layer.

    Yu et al. (SimGCL, SIGIR 2022), eq. 6 and 8.
    """

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        if self.epsilon < 0:
            raise InputError(f"epsilon={self.epsilon} of a view must be >= 0.")

    def __call__(self, start: Pass) -> Pass:
        return replace(start, hooks=(*start.hooks, self.noisy))

    def noisy(self, x: Tensor, index: int) -> Tensor:
        """The layer ``x`` [N, d] with noise."""
        noise = torch.empty_like(x, requires_grad=False)
        size = CPU_BLOCK if x.device.type == "cpu" else len(x)
        for rows, out in zip(x.detach().split(size), noise.split(size), strict=True):
            uniform = _uniform(rows)
            length = torch.linalg.vector_norm(uniform, dim=1, keepdim=True)
            torch.mul(rows.sign(), uniform.mul_(self.epsilon / length), out=out)
        return x + noise


def _uniform(like: Tensor) -> Tensor:
    """Uniform in (0, 2^16) in steps of 1, in float32 at least: 16 random bits a number, faster than ``rand_like``."""
    count = like.numel()
    bits = torch.empty(-(-count // 4), dtype=torch.int64, device=like.device).random_(-(2**63), None)
    precise = torch.promote_types(like.dtype, torch.float32)
    return bits.view(torch.int16)[:count].view(like.shape).to(precise).add_(2**15 + 0.5)


class NodeMask(nn.Module):
    """A share ``rate`` of the nodes, drawn at every pass, gets one trained vector as its input, zero at first.

    Ren et al. (RLMRec, WWW 2024), section 3.3.2, and their code. Nodes without an edge are never drawn: they are
    unknown to training, such as an item that a split holds out whole.
    """

    def __init__(self, dim: int, rate: float = 0.1) -> None:
        super().__init__()
        _check_rate(rate)
        self.token = nn.Parameter(torch.zeros(dim))
        self.rate = rate
        self._drawable: tuple[Graph, Tensor] | None = None  # the nodes of a graph, on its device

    def forward(self, start: Pass) -> Pass:
        device = start.x0.device
        if self._drawable is None or self._drawable[0] is not start.graph or self._drawable[1].device != device:
            self._drawable = (start.graph, start.graph.connected.to(device))
        nodes = self._drawable[1]
        count = max(int(len(nodes) * self.rate), 1)
        masked = nodes[torch.randperm(len(nodes), device=nodes.device)[:count]]
        hidden = torch.zeros(len(start.x0), 1, dtype=torch.bool, device=start.x0.device).index_fill_(0, masked, True)
        return replace(start, x0=torch.where(hidden, self.token, start.x0), masked=masked)


@dataclass(frozen=True)
class EdgeDropout:
    """Each direction of each edge is left out of the normalised matrix with probability ``rate``, anew at every pass.

    The others keep their weight. Ren et al. (RLMRec, WWW 2024), their code.
    """

    rate: float = 0.2

    def __post_init__(self) -> None:
        _check_rate(self.rate)

    def __call__(self, start: Pass) -> Pass:
        whole = _of_one_kind(start.graph)
        matrix = whole.matrix("none", False, start.x0.device)
        edges = matrix.pattern.rows != matrix.columns
        kept = torch.rand(int(edges.sum()), device=edges.device) >= self.rate
        thinned = _Thinned(whole.space, whole.adjacency, whole._matrices, kept, isolated=whole.isolated)
        return replace(start, graph=thinned)


@dataclass(frozen=True, eq=False)
class _Thinned(Graph):
    """A graph whose normalised matrices lack the directed edges that are not ``kept`` [E]; loops stay."""

    kept: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.bool))
    _thin: dict[SparseMatrix, SparseMatrix] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """The whole graph was checked."""

    def matrix(self, normalization: str, self_loops: bool, device: torch.device) -> SparseMatrix:
        return self._without(super().matrix(normalization, self_loops, device))

    def attention_matrix(self, self_loops: bool, device: torch.device) -> SparseMatrix:
        matrix = super().attention_matrix(self_loops, device)
        return self._without(matrix) if self_loops else matrix  # without loops it is ``matrix``, thin already

    def _without(self, whole: SparseMatrix) -> SparseMatrix:
        if whole not in self._thin:
            kept = self.kept
            if len(whole.columns) > len(kept):
                edges = whole.pattern.rows != whole.columns
                kept = torch.ones_like(edges).masked_scatter_(edges, kept)
            self._thin[whole] = replace(whole.restricted(kept), symmetric=False)
        return self._thin[whole]


class EpochDrop:
    """A graph without some edges, or without the edges of some nodes, normalised anew: one draw an epoch.

    Wu et al. (SGL, SIGIR 2021), section 3.1: ``drop`` = ``edge`` or ``node``, each with probability ``rate``.
    ``number`` tells views of one epoch apart; draws are a function of (seed, epoch, number) alone.
    """

    def __init__(self, drop: str, rate: float, number: int) -> None:
        check_choice("drop", drop, DROPS)
        _check_rate(rate)
        self.drop = drop
        self.rate = rate
        self.number = number
        self._drawn: tuple[Graph, tuple[int, int], Graph] | None = None  # whole graph, epoch, the graph that is left

    def __call__(self, start: Pass) -> Pass:
        if self._drawn is None or self._drawn[0] is not start.graph or self._drawn[1] != start.epoch:
            self._drawn = (start.graph, start.epoch, self._draw(start.graph, start.epoch))
        return replace(start, graph=self._drawn[2])

    def _draw(self, graph: Graph, epoch: tuple[int, int]) -> Graph:
        state = np.random.SeedSequence([*epoch, self.number]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(state >> np.uint64(1)))
        matrix = _of_one_kind(graph).matrix("none", False, torch.device("cpu"))
        edges = matrix.pattern.rows != matrix.columns
        left = matrix.restricted(DROPS[self.drop](matrix, self.rate, generator) & edges)
        parts = (left.weights.numpy(), left.columns.numpy(), left.row_offsets.numpy())
        return Graph(graph.space, sp.csr_matrix(parts, shape=graph.adjacency.shape), isolated=graph.isolated)


def kept_edges(matrix: SparseMatrix, rate: float, generator: torch.Generator) -> Tensor:
    """Which entries of a symmetric matrix are left, boolean [E]: A_ij and A_ji both, with probability 1 - ``rate``."""
    drawn = torch.rand(len(matrix.columns), generator=generator, device=matrix.columns.device) >= rate
    return torch.where(matrix.pattern.rows < matrix.columns, drawn, drawn[matrix.transposed_order])


def kept_by_nodes(matrix: SparseMatrix, rate: float, generator: torch.Generator) -> Tensor:
    """Which entries are left when each node goes, with all its edges, with probability ``rate``; boolean [E]."""
    device = matrix.columns.device
    nodes = torch.rand(len(matrix.row_offsets) - 1, generator=generator, device=device) >= rate
    return matrix.pattern.spread(nodes) & nodes[matrix.columns]


DROPS = {"edge": kept_edges, "node": kept_by_nodes}


def _of_one_kind(graph: Graph) -> Graph:
    """Refuses a graph of several behaviours, whose weights belong to the undropped edges."""
    if isinstance(graph, BehaviourGraph):
        raise InputError("Views that drop edges or nodes need graph=bipartite; graph=behaviours has weights to learn.")
    return graph


def _check_rate(rate: float) -> None:
    if not 0 <= rate < 1:
        raise InputError(f"rate={rate} of a view must lie in [0, 1).")
