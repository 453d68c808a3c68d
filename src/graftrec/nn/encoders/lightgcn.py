"""LightGCN: propagation and nothing else."""

from functools import partial

import torch
from torch import Tensor

from graftrec.errors import check_choice
from graftrec.graph.graph import Graph
from graftrec.graph.normalize import EXPONENTS
from graftrec.graph.powers import powers_at
from graftrec.graph.propagate import PRECISIONS, SparseMatrix, propagate
from graftrec.nn.encoders.base import Encoder, LayersAt


class LightGCN(Encoder):
    """X^(l+1) = D^-1/2 A D^-1/2 X^(l), embedding = mean of the layers (He et al., SIGIR 2020, eq. 3, 4, 7).

    ``normalization`` is one of ``graph.normalize.EXPONENTS`` (the paper's Table 5). The product runs in
    ``propagation_dtype``, and so do the layers after x0; their mean has the precision of x0.
    """

    node_tables = 0
    mixes_behaviours = True

    def __init__(
        self,
        dim: int,
        weighted: bool = False,
        num_layers: int = 2,
        normalization: str = "symmetric",
        mix: str = "mean",
        propagation_dtype: str = "float32",
    ) -> None:
        super().__init__(num_layers, mix)
        check_choice("encoder.normalization", normalization, EXPONENTS)
        check_choice("encoder.propagation_dtype", propagation_dtype, PRECISIONS)
        self.normalization = normalization
        self.precision = PRECISIONS[propagation_dtype]

    def layer(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        return propagate(self._matrix(graph, x.device), x, dtype=self.precision)

    def rows_alone(self, x0: Tensor, graph: Graph) -> LayersAt | None:
        if graph.learned:
            return None
        return partial(powers_at, self._matrix(graph, x0.device), x0, self.num_layers, dtype=self.precision)

    def _matrix(self, graph: Graph, device: torch.device) -> SparseMatrix:
        return graph.matrix(self.normalization, False, device)
