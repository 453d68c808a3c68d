"""One layer on gowalla's graph (1,620,256 directed edges, 64 dimensions), forward and backward, one thread.

    python experiments/speed/layers.py --peers-python PEERS/bin/python

The bare convolution: no norm, activation or dropout. Memory is the peak above the process with inputs and weights
ready. PyG is given its graph as edge_index, COO, CSR and EdgeIndex; the best counts, and GCN's norm is cached.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from common import (
    DIM,
    RECIPE,
    Contestant,
    Row,
    adjacency,
    config,
    gowalla,
    main,
    peak_mib,
    show,
    spread,
    summarise,
    write,
)

REPEATS, WARM_UP = 7, 2
LAYERS = {"gcn": "GCN", "gin": "GIN", "gat": "GAT", "gatedgcn": "GatedGCN"}
LAYOUTS = ("edge_index", "coo", "csr", "EdgeIndex")


def measure(layer: Callable[[Any], Any], num_nodes: int) -> Row:
    """Median milliseconds, and peak MiB above what stood before."""
    import torch

    x = torch.randn(num_nodes, DIM, requires_grad=True)
    gradient = torch.randn(num_nodes, DIM)
    before, times = peak_mib(), []
    for _ in range(WARM_UP + REPEATS):
        x.grad = None
        start = time.perf_counter()
        layer(x).backward(gradient)
        times.append(1e3 * (time.perf_counter() - start))
    return {"ms": statistics.median(times[WARM_UP:]), "mib": peak_mib() - before}


def graftrec(encoder: str, *words: str) -> Row:
    """The convolution of ``encoder`` as ``graftrec train encoder=`` makes it."""
    from common import gowalla_dataset

    from graftrec.pipeline import build

    settings = config(*RECIPE, f"encoder={encoder}", "encoder.num_layers=1", *words)
    graph = build.build_graph(settings, gowalla_dataset())
    made = build.instantiate(settings.encoder, weighted=False)
    made.convolve(0, build_x(graph.space.num_nodes), graph)  # makes the normalised matrix
    return measure(lambda x: made.convolve(0, x, graph), graph.space.num_nodes)


def build_x(num_nodes: int) -> Any:
    """An input, to be thrown away."""
    import torch

    return torch.zeros(num_nodes, DIM)


def pyg(encoder: str, layout: str) -> Row:
    """PyG's layer of the same name and settings."""
    import torch
    from torch_geometric import EdgeIndex
    from torch_geometric.nn import GATConv, GCNConv, GINConv, ResGatedGraphConv

    data = gowalla()
    num_nodes = int(data["num_users"] + data["num_items"])
    if layout == "EdgeIndex":
        size = (num_nodes, num_nodes)
        graph = EdgeIndex(adjacency("edge_index"), sparse_size=size, is_undirected=True).sort_by("row").values
        graph.fill_cache_()
    else:
        graph = adjacency(layout)
    mlp = torch.nn.Sequential(torch.nn.Linear(DIM, DIM), torch.nn.ReLU(), torch.nn.Linear(DIM, DIM))
    made = {
        "gcn": lambda: GCNConv(DIM, DIM, cached=True),
        "gin": lambda: GINConv(mlp, train_eps=True, aggr="mean"),
        "gat": lambda: GATConv(DIM, DIM),
        "gatedgcn": lambda: ResGatedGraphConv(DIM, DIM, aggr="mean"),
    }[encoder]()
    return measure(lambda x: made(x, graph), num_nodes)


def report(rows: list[Row]) -> None:
    write("layers", rows)
    times, sizes = summarise(rows, "ms"), summarise(rows, "mib")
    table = []
    for title in LAYERS.values():
        names = [name for name in times if name.split(", ")[0] == title]
        ours = min((times[n]["median"] for n in names if "graftrec" in n), default=None)
        rivals = [n for n in names if "PyG" in n]
        best = min(rivals, key=lambda n: times[n]["median"], default=None)
        for name in names:
            ratio = f"{times[name]['median'] / ours:.1f}" if ours else ""
            mark = "best of PyG" if name == best else ""
            table.append([name, *spread(times[name], 0), ratio, f"{sizes[name]['median']:,.0f}", mark])
    show("One layer, forward + backward", ["", "ms", "range", "x graftrec", "MiB above inputs", ""], table)


CONTESTANTS = {}
for key, title in LAYERS.items():
    CONTESTANTS[f"{title}, graftrec"] = Contestant(graftrec, arguments=(key,))
    CONTESTANTS.update({f"{title}, PyG {layout}": Contestant(pyg, True, (key, layout)) for layout in LAYOUTS})

if __name__ == "__main__":
    main(__doc__, CONTESTANTS, report)
