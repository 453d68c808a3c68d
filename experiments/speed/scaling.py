"""Step and evaluation cost of LightGCN at 1, 4 and 16 million directed edges of the synthetic source, one thread.

    python experiments/speed/scaling.py

Users, items and edges grow together, in gowalla's proportions. ``picture.py`` draws the result to scaling.png.
"""

import time

from common import Contestant, Row, config, main, peak_mib, show, spread, summarise, write
from epoch import STEPS, fit

EVALUATED = 2000  # users, evenly spread


def graftrec(edges: int, *words: str) -> Row:
    """Training steps through the pipeline, then a ranking of some users."""
    from graftrec.recommend.evaluation import evaluate
    from graftrec.scoring import FactorScorer

    pairs = int(edges / 2 / 0.7)  # the training part of a 70/10/20 split
    settings = config(
        "data=synthetic",
        f"data.num_interactions={pairs}",
        f"data.num_users={pairs // 34}",
        f"data.num_items={pairs // 25}",
        "data.item_text=[]",
        "data.user_text=[]",
        "features=none",
        "input=id",
        "filter=none",
        "encoder.num_layers=3",
        "objective=bpr",
        "negatives.shared=0",
        "evaluation.k=[20]",
        "trainer.check_val_every_n_epoch=10",  # the first epoch is not validated
        *words,
    )
    seconds, _, prepared, module = fit(settings)
    graph = module.graph
    scorer = FactorScorer(*module.recommender.eval().factors(graph))
    start = time.perf_counter()
    evaluate(scorer, prepared.data.test, max_users=EVALUATED)
    user_ms = 1e3 * (time.perf_counter() - start) / EVALUATED
    sizes = {"edges": graph.num_edges, "users": graph.space.num_users, "items": graph.space.num_items}
    step_ms = 1e3 * seconds / STEPS
    edge_ns = 1e6 * step_ms / graph.num_edges
    return {**sizes, "step_ms": step_ms, "ns_per_edge": edge_ns, "user_ms": user_ms, "peak_mib": peak_mib()}


def report(rows: list[Row]) -> None:
    write("scaling", rows)
    table = []
    for name, step in summarise(rows, "step_ms").items():
        sizes = next(row for row in rows if row["contestant"] == name)
        others = [summarise(rows, figure)[name]["median"] for figure in ("ns_per_edge", "user_ms", "peak_mib")]
        table.append([name, *(f"{sizes[s]:,}" for s in ("edges", "users", "items")), *spread(step), *others])
    columns = ["", "edges", "users", "items", "ms/step", "range", "ns/edge", "ms/user ranked", "peak MiB"]
    show("LightGCN-64, 3 layers, batch 2048, synthetic", columns, table)


SIZES = {"1 M": 1_000_000, "4 M": 4_000_000, "16 M": 16_000_000}
CONTESTANTS = {name: Contestant(graftrec, arguments=(edges,)) for name, edges in SIZES.items()}

if __name__ == "__main__":
    main(__doc__, CONTESTANTS, report)
