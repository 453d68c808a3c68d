"""Every way in which a language model's text can enter, beside controls that know nothing.

    python experiments/ways_of_entry/run.py [part=ways|encoders|cold ...]

``ways``: LightGCN by way and text encoder on three data sets, one seed. ``encoders``: the best way beside ids and
frozen text, five encoders, three seeds. ``cold``: items that training never saw. How to choose some of the runs and go
on: see experiments/study.py.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import UNTUNED, Cell, Finished, main, markdown, mean_and_deviation, with_earlier  # noqa: E402

from graftrec.pipeline.run_folder import RunFolder  # noqa: E402

DATA = ("movielens_small", "amazon_office", "online_retail")
TEXTS = ("minilm", "smollm2", "hashing", "random")  # random: a vector by the text's hash, as wide as MiniLM's
ALIGNMENT = "{_target_:graftrec.objectives.rlmrec.FeatureAlignment,_partial_:true,dim:64,temperature:0.2}"
WAYS = {
    "id": ("input=id",),
    "text": ("input=text",),  # frozen, through an MLP
    "init": ("input=init", "conditioning=pca"),
    "init_frozen": ("input=init", "conditioning=pca", "input.trained=false"),
    "sum": ("input=id_plus_text",),
    "gated": ("input=gated",),
    "aligned": ("input=id", f"+objective.terms.rlmrec={ALIGNMENT}", "+objective.weights.rlmrec=0.01"),  # RLMRec-Con
}
BEST = "init"  # by validation NDCG in part ways, on movielens_small and amazon_office
ENCODERS = ("lightgcn", "gcn", "gin", "gat", "gatedgcn")
SETTINGS = ("objective=softmax", *UNTUNED)
CENTER = "conditioning=center"  # a decoder's vectors point one way: mean cosine .9
CUT = "features.encoder.max_tokens=64"  # amazon_office's descriptions through SmolLM2: 256 would take an hour
KEY = ("part", "data", "encoder", "way", "features", "seed")
ACCURACY = ("recall@20", "precision@20", "f1@20", "ndcg@20")
COLD = (*(f"cold/{name}" for name in ACCURACY), "recall@20", "ndcg@20")  # among cold items, and among all
METRICS = {"ways": ACCURACY, "encoders": ACCURACY, "cold": COLD}
CHOICE = "valid/ndcg@20"  # by which the best way is chosen


def cell(part: str, data: str, encoder: str, way: str, features: str, seed: int, *words: str) -> Cell:
    """One run; ids alone read no features."""
    values = dict(zip(KEY, (part, data, encoder, way, features, seed), strict=True))
    named = (f"{name}={values[name]}" for name in ("data", "encoder", "features", "seed"))
    read = (CENTER,) if features != "none" else ()
    read += (CUT,) if (data, features) == ("amazon_office", "smollm2") else ()
    return Cell(values, (*words, *named, *SETTINGS, *read, *WAYS[way]))


def cells() -> Iterator[Cell]:
    """Every run, seed by seed."""
    for data in DATA:
        for way, features in with_ids(tuple(WAYS)[1:], TEXTS):
            yield cell("ways", data, "lightgcn", way, features, 0, "baselines=strong")
    for data, seed, encoder in itertools.product(DATA[:2], (0, 1, 2), ENCODERS):
        for way, features in with_ids(("text", BEST), ("minilm", "random")):
            yield cell("encoders", data, encoder, way, features, seed, "baselines=strong")
    for data, seed in itertools.product(DATA, (0, 1, 2)):
        for way, features in with_ids(("text", "sum", "gated"), ("minilm", "hashing", "random")):
            yield cell("cold", data, "lightgcn", way, features, seed, "experiment=cold_items", "baselines=strong")


def with_ids(ways: tuple[str, ...], texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Ids alone, and every way with every text."""
    yield "id", "none"
    yield from itertools.product(ways, texts)


def table(results: pl.DataFrame, part: str) -> str:
    """Mean ± standard deviation over seeds; the last column compares the first metric with that of ids alone."""
    metrics, names = METRICS[part], ("data", "encoder", "way", "features")
    with_ids = results.filter(pl.col("way") == "id").group_by("data", "encoder").agg(pl.col(metrics[0]).mean())
    ids = {key: value for *key, value in with_ids.iter_rows() for key in [tuple(key)]}
    lines = []
    for key, runs in results.sort(*map(place, names), maintain_order=True).group_by(names, maintain_order=True):
        base = ids.get(key[:2])
        change = f"{runs[metrics[0]].mean() / base - 1:+.1%}" if base else ""
        lines.append([*key, *(mean_and_deviation(runs[name]) for name in metrics), len(runs), change])
    return markdown([*names, *metrics, "seeds", f"{metrics[0]} to ids"], lines)


def place(name: str) -> pl.Expr:
    """Where a row stands by column ``name``: as in the design, baselines first."""
    order = {"data": DATA, "encoder": ENCODERS, "way": tuple(WAYS), "features": TEXTS}[name]
    return pl.col(name).replace_strict({value: rank for rank, value in enumerate(order)}, default=-1)


def report(finished: list[Finished]) -> None:
    """results.csv, strata.csv, and a table for each part."""
    rows, strata = [], []
    for done in finished:
        part, features = done.cell.values["part"], done.cell.values["features"]
        metrics = METRICS[str(part)]
        for row in done.baseline_rows(metrics, "encoder"):
            reads = row["encoder"].startswith("text-kNN")
            if reads == (features != "none"):
                rows.append({"part": part, "way": "", "features": features if reads else "none", "seed": 0, **row})
        valid = RunFolder.read_json(done.run.metrics)[CHOICE]
        rows.append({**done.row(metrics), CHOICE: valid})
        if part != "cold":
            strata.append(done.strata())
    results = with_earlier(pl.DataFrame(rows, infer_schema_length=None), HERE / "results.csv", KEY)
    results = results.sort("seed", maintain_order=True)
    results.write_csv(HERE / "results.csv", float_precision=6)
    if strata:
        by_degree = with_earlier(pl.concat(strata), HERE / "strata.csv", (*KEY, "kind", "stratum"))
        by_degree.write_csv(HERE / "strata.csv", float_precision=6)
    for part in results["part"].unique():
        (HERE / f"{part}.md").write_text(table(results.filter(pl.col("part") == part), part), encoding="utf-8")


if __name__ == "__main__":
    main(HERE, list(cells()), report)
