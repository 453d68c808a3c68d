"""Seconds per epoch of LightGCN (64 dimensions, 3 layers, BPR + L2, batch 2048) on gowalla, one thread.

    python experiments/speed/epoch.py --peers-python PEERS/bin/python

40 whole steps after 10 of warm-up, scaled to the epoch's 396. A step begins where the loop asks for a batch.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import (
    BATCH,
    DIM,
    LAYERS,
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

WARM_UP, STEPS = 10, 40


class Timed:
    """Batches of ``loader`` up to the last that is timed; ``seconds`` of STEPS whole steps."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.shuffle = getattr(loader, "shuffle", False)
        self.sampler = getattr(loader, "sampler", None)

    def __iter__(self) -> Iterator[Any]:
        for index, batch in enumerate(self.loader):
            if index == WARM_UP - 1:  # the next thing done after this batch's step is loading the first timed one
                yield batch
                start = time.perf_counter()
                continue
            yield batch
            if index == WARM_UP + STEPS - 1:
                self.seconds = time.perf_counter() - start
                return


def figures(seconds: float, epoch_end: float = 0.0) -> Row:
    """Milliseconds a step, seconds an epoch."""
    steps = -(-len(gowalla()["train_user"]) // BATCH)
    step = seconds / STEPS
    return {"step_ms": 1e3 * step, "epoch_s": steps * step + epoch_end, "peak_mib": peak_mib()}


def graftrec(*words: str) -> Row:
    """graftrec's own pipeline."""
    seconds, epoch_end, _, _ = fit(config(*RECIPE, *words))
    return {**figures(seconds, epoch_end), "epoch_end_s": epoch_end}


def fit(settings: Any, *callbacks: Any) -> tuple[float, float, Any, Any]:
    """Train as ``graftrec train`` does, up to the last timed step, with its Trainer, callbacks and loggers.

    ``settings`` must not validate after the first epoch.

    Seconds of STEPS steps, seconds of the epoch's end (checkpoints, loggers), what was prepared, the module.
    """
    import pytorch_lightning as pl

    from graftrec.pipeline import build
    from graftrec.pipeline.prepare import prepare
    from graftrec.pipeline.tracking import RunInfo, tracked

    class Clock(pl.Callback):
        def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, batch_idx: int) -> None:
            if batch_idx == WARM_UP:
                self.start = time.perf_counter()
            elif batch_idx == WARM_UP + STEPS:
                self.stop = time.perf_counter()

        def on_train_batch_end(self, *arguments: Any) -> None:
            self.last = time.perf_counter()

    prepared, clock = prepare(settings), Clock()
    with tempfile.TemporaryDirectory() as folder:
        info = RunInfo(Path(folder), "speed", build.plain(settings), "speed", settings.job_type, [])
        with tracked(build.instantiate(settings.get("logger")) or {}, info) as tracking:
            module = build.build_module(settings, prepared.data)
            trainer = build.build_trainer(settings, Path(folder) / "checkpoints", tracking.loggers)
            trainer.callbacks += [clock, *callbacks]
            trainer.limit_train_batches = WARM_UP + STEPS + 1
            trainer.fit_loop.max_epochs = 1
            trainer.fit(module, prepared.data)
            epoch_end = time.perf_counter() - clock.last
    return clock.stop - clock.start, epoch_end, prepared, module


def pyg(layout: str) -> Row:
    """PyG's LightGCN with the training loop of its example."""
    import torch
    from torch_geometric.nn.models import LightGCN

    data = gowalla()
    num_users, num_nodes = int(data["num_users"]), int(data["num_users"] + data["num_items"])
    graph = adjacency(layout)
    pairs = adjacency("edge_index")[:, : len(data["train_user"])]
    torch.manual_seed(0)
    model = LightGCN(num_nodes, DIM, LAYERS, normalize=not layout.endswith("normalised"))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = Timed(torch.utils.data.DataLoader(range(pairs.shape[1]), shuffle=True, batch_size=BATCH))
    for index in batches:
        positive = pairs[:, index]
        negative = torch.stack([positive[0], torch.randint(num_users, num_nodes, (index.numel(),))])
        wanted = torch.cat([positive, negative], dim=1)
        optimizer.zero_grad()
        ranks = model(graph, wanted).chunk(2)
        loss = model.recommendation_loss(*ranks, node_id=wanted.unique())
        loss.backward()
        optimizer.step()
        float(loss)
    return figures(batches.seconds)


def recbole() -> Row:
    """RecBole's Trainer."""
    from recbole_glue import recbole_parts

    trainer, _, train, _ = recbole_parts()
    batches = Timed(train)
    trainer._train_epoch(batches, 0)
    return figures(batches.seconds)


def memory() -> Row:
    """Reading speed in GB/s of 18 MB (the embedding table, in cache) and 512 MB (memory), and the step's floor.

    The floor reads each edge's row once in each of the 5 products that are made whole (not that of the last layer,
    which is made at the batch's rows) at the table's speed, and passes Adam's 7 tables (read weight, gradient and two
    moments, write three) at memory's.
    """
    import torch

    data = gowalla()
    table = 4 * DIM * int(data["num_users"] + data["num_items"])
    rows = 4 * DIM * 2 * len(data["train_user"])
    cache, dram = gigabytes_per_second(torch, table), gigabytes_per_second(torch, 512 * 2**20)
    floor = {name: 1e3 * ((2 * LAYERS - 1) * rows * share / cache + 7 * table / dram) / 1e9
             for name, share in (("float32", 1), ("bfloat16", 0.5))}  # fmt: skip
    return {"cache_gbs": cache, "dram_gbs": dram, **{f"floor_{name}_ms": value for name, value in floor.items()}}


def gigabytes_per_second(torch: Any, size: int) -> float:
    """The best of several passes, of the fastest of three reductions."""
    x = torch.rand(size // 4)
    best = float("inf")
    for read in (torch.sum, torch.max, lambda x: torch.dot(x, x)):
        for _ in range(3 + 2**30 // size):
            start = time.perf_counter()
            read(x)
            best = min(best, time.perf_counter() - start)
    return size / best / 1e9


def report(rows: list[Row]) -> None:
    write("epoch", rows)
    epochs, steps = summarise(rows, "epoch_s"), summarise(rows, "step_ms")
    floors = {n: summarise(rows, f"floor_{n}_ms").get("memory") for n in ("float32", "bfloat16")}
    ours = epochs.get("graftrec bfloat16") or epochs.get("graftrec float32") or next(iter(epochs.values()))
    table = []
    for name, epoch in epochs.items():
        floor = floors["bfloat16" if "bfloat16" in name else "float32"]
        above = f"{steps[name]['median'] / floor['median']:.2f}" if floor else ""
        table.append([name, *spread(epoch), *spread(steps[name])[:1], f"{epoch['median'] / ours['median']:.1f}", above])
    show("LightGCN-64, 3 layers, gowalla", ["", "s/epoch", "range", "ms/step", "x graftrec", "x floor"], table)
    figures = ("cache_gbs", "dram_gbs", "floor_float32_ms", "floor_bfloat16_ms")
    print(*(f"{n} {spread(summarise(rows, n)['memory'])}" for n in figures if summarise(rows, n)), sep="\n")


CONTESTANTS = {
    "memory": Contestant(memory),
    "graftrec float32": Contestant(graftrec),
    "graftrec bfloat16": Contestant(graftrec, arguments=("encoder.propagation_dtype=bfloat16",)),
    "PyG, CSR": Contestant(pyg, True, ("csr",)),
    "PyG, CSR normalised once": Contestant(pyg, True, ("csr_normalised",)),
    "PyG, edge_index": Contestant(pyg, True, ("edge_index",)),
    "RecBole": Contestant(recbole, True),
}

if __name__ == "__main__":
    main(__doc__, CONTESTANTS, report)
