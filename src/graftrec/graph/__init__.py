"""The sparse graph, its normalised forms, and the product with it."""

from graftrec.graph.graph import Graph
from graftrec.graph.node_space import NodeSpace

__all__ = ["Graph", "NodeSpace"]
