"""Full ranking of gowalla's test users over the whole catalogue, top 20, from the same vectors, one thread.

    python experiments/speed/evaluation.py --peers-python PEERS/bin/python

Vectors: a seeded randomised SVD of rank 64 of the normalised training matrix. Timed are scores, mask, lists and
metrics, not the loading. torchmetrics judges a sample of users; all others judge all of them.
"""

import time
from typing import Any

from common import (
    DIM,
    WORK,
    Contestant,
    K,
    Row,
    gowalla,
    gowalla_dataset,
    main,
    peak_mib,
    show,
    spread,
    summarise,
    write,
)

SAMPLE = 1000
VECTORS = WORK / "vectors.safetensors"


def vectors() -> tuple[Any, Any]:
    """User and item vectors, float32; made once."""
    from safetensors.torch import load_file, save_file

    if not VECTORS.is_file():
        import numpy as np
        import scipy.sparse as sp
        import torch
        from sklearn.utils.extmath import randomized_svd

        data = gowalla()
        size = (int(data["num_users"]), int(data["num_items"]))
        matrix = sp.csr_matrix((np.ones(len(data["train_user"])), (data["train_user"], data["train_item"])), size)
        left, right = (np.asarray(matrix.sum(axis)).ravel().clip(1) ** -0.5 for axis in (1, 0))
        u, s, vt = randomized_svd(sp.diags(left) @ matrix @ sp.diags(right), DIM, random_state=0)
        parts = {"user": u * s, "item": vt.T}
        save_file({n: torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32)) for n, v in parts.items()}, VECTORS)
    loaded = load_file(VECTORS)
    return loaded["user"], loaded["item"]


def figures(users: int, seconds: float, recall: float) -> Row:
    """What every contestant reports."""
    return {"users": users, "seconds": seconds, "users_per_s": users / seconds, "recall@20": recall,
            "peak_mib": peak_mib()}  # fmt: skip


def sampled(count: int) -> Any:
    """Positions, evenly spread over ``count``, of the users that torchmetrics judges."""
    import numpy as np

    return np.linspace(0, count - 1, SAMPLE).astype(int)


def graftrec(*words: str) -> Row:
    """``evaluate``, with every metric that it computes, as ``graftrec train`` calls it."""
    from common import RECIPE, config

    from graftrec.pipeline import build
    from graftrec.recommend.evaluation import evaluate
    from graftrec.scoring import FactorScorer

    protocol = build.instantiate(config(*RECIPE, "evaluation.k=[20]", *words).evaluation)
    task = protocol.test(gowalla_dataset())
    scorer = FactorScorer(*vectors())
    evaluate(scorer, task, max_users=256)  # warm-up
    start = time.perf_counter()
    result = evaluate(scorer, task)
    seconds = time.perf_counter() - start
    per_user = result.per_user["recall@20"].to_numpy()
    sample = float(per_user[sampled(len(per_user))].mean())
    return {**figures(len(per_user), seconds, result.values["recall@20"]), "recall@20 of sample": sample}


def recbole(users_at_once: int) -> Row:
    """RecBole's ``Trainer.evaluate``: recall, precision, NDCG.

    Its ``eval_batch_size=4096`` ranks one user at a time on a catalogue of 40,981 items.
    """
    import torch
    from recbole_glue import recbole_parts

    trainer, model, train, test = recbole_parts(users_at_once)
    user, item = vectors()
    names = train.dataset.field2id_token
    order = {field: torch.tensor([int(token) for token in names[field][1:]]) for field in ("user_id", "item_id")}
    padding = torch.zeros(1, DIM)
    model.restore_user_e = torch.cat([padding, user[order["user_id"]]])
    model.restore_item_e = torch.cat([padding, item[order["item_id"]]])
    trainer.eval_collector.data_collect(train)
    start = time.perf_counter()
    result = trainer.evaluate(test, load_best_model=False)
    seconds = time.perf_counter() - start
    return figures(len(test.uid_list), seconds, result[f"recall@{K}"])


def torchmetrics() -> Row:
    """``RetrievalRecall``, ``RetrievalPrecision``, ``RetrievalNormalizedDCG`` on the full scores of a sample."""
    import numpy as np
    import torch
    from torchmetrics import MetricCollection
    from torchmetrics.retrieval import RetrievalNormalizedDCG, RetrievalPrecision, RetrievalRecall

    data, (user, item) = gowalla(), vectors()
    sample = np.unique(data["test_user"])
    sample = sample[sampled(len(sample))]
    position = np.full(len(user), -1)
    position[sample] = np.arange(SAMPLE)
    pairs = {part: (position[data[f"{part}_user"]], data[f"{part}_item"]) for part in ("train", "test")}
    rows = {part: (torch.from_numpy(u[u >= 0]), torch.from_numpy(i[u >= 0])) for part, (u, i) in pairs.items()}
    metrics = MetricCollection([RetrievalRecall(top_k=K), RetrievalPrecision(top_k=K), RetrievalNormalizedDCG(top_k=K)])
    start = time.perf_counter()
    for begin in range(0, SAMPLE, 100):
        end = begin + 100
        scores = user[torch.from_numpy(sample[begin:end])] @ item.T
        target = torch.zeros(scores.shape, dtype=torch.bool)
        for part, values, value in (("train", scores, -torch.inf), ("test", target, True)):
            inside = (rows[part][0] >= begin) & (rows[part][0] < end)
            values[rows[part][0][inside] - begin, rows[part][1][inside]] = value
        index = torch.arange(begin, end)[:, None].expand_as(scores)
        metrics.update(scores.flatten(), target.flatten(), indexes=index.flatten())
    result = metrics.compute()
    return figures(SAMPLE, time.perf_counter() - start, float(result["RetrievalRecall"]))


def report(rows: list[Row]) -> None:
    write("evaluation", rows)
    summary, recalls = summarise(rows, "users_per_s"), summarise(rows, "recall@20")
    users = summarise(rows, "users")
    ours = next(iter(summary.values()))["median"]
    table = [
        [name, *spread(figure, 0), f"{ours / figure['median']:.1f}", f"{recalls[name]['median']:.6f}",
         f"{users[name]['median']:,.0f}"]
        for name, figure in summary.items()
    ]  # fmt: skip
    columns = ["", "users/s", "range", "graftrec is faster by", "recall@20", "users judged"]
    show("Full ranking on gowalla, 40,981 items, top 20", columns, table)
    whole = [r["median"] for n, r in recalls.items() if users[n]["median"] > SAMPLE]
    print(f"recall@20 of those that judge all users differs by at most {max(whole) - min(whole):.1e}")
    sample = summarise(rows, "recall@20 of sample").get("graftrec")
    if sample and "torchmetrics" in recalls:
        difference = abs(sample["median"] - recalls["torchmetrics"]["median"])
        print(f"torchmetrics' recall@20 differs from graftrec's on the same {SAMPLE} users by {difference:.1e}")


CONTESTANTS = {
    "graftrec": Contestant(graftrec),
    "RecBole, 256 users at once": Contestant(recbole, True, (256,)),
    "RecBole, as it comes": Contestant(recbole, True, (1,)),
    "torchmetrics": Contestant(torchmetrics, True),
}

if __name__ == "__main__":
    vectors()
    main(__doc__, CONTESTANTS, report)
