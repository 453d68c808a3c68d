"""Every way in which a language model's text can enter, beside controls that know nothing.

    python experiments/ways_of_entry/run.py [part=ways|encoders|cold ...]

``ways``: LightGCN by way and text encoder on three data sets, one seed. ``encoders``: the best way beside ids and frozen
text, five encoders, three seeds. ``cold``: items that training never saw. How to choose some of the runs and go on: see
experiments/study.py.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import Cell, Finished, main, markdown, mean_and_deviation  # noqa: E402

DATA = ("movielens_small", "amazon_office", "online_retail")
TEXTS = ("minilm", "smollm2", "hashing", "random")  # random: a vector by the text's hash, as wide as MiniLM's
ALIGNMENT = "{_target_:graftrec.objectives.rlmrec.FeatureAlignment,_partial_:true,dim:64,temperature:0.2}"
WAYS = {
    "id": ("input=id",),
    "text": ("input=text",),  # frozen, through an MLP
    "init": ("input=init",),
    "init, frozen": ("input=init", "input.trained=false"),
    "sum": ("input=id_plus_text",),
    "gated": ("input=gated",),
    "aligned": ("input=id", f"+objective.terms.rlmrec={ALIGNMENT}", "+objective.weights.rlmrec=0.01"),  # RLMRec-Con
}
BEST = "sum"  # of part ways
ENCODERS = ("lightgcn", "gcn", "gin", "gat", "gatedgcn")
SETTINGS = (
    "objective=softmax",
    "batch_size=8192",
    "optimizer.lr=1e-2",
    "trainer.max_epochs=25",
    "trainer.enable_progress_bar=false",
    "callbacks.early_stopping.patience=5",
    "logger=[]",
    "threads=1",
)
KEY = ("part", "data", "encoder", "way", "features", "seed")
METRICS = ("recall@20", "precision@20", "f1@20", "ndcg@20")
COLD = tuple(f"cold/{metric}" for metric in METRICS)


def cell(part: str, data: str, encoder: str, way: str, features: str, seed: int, *words: str) -> Cell:
    """One run; ids alone read no features."""
    values = dict(zip(KEY, (part, data, encoder, way, features, seed), strict=True))
    named = (f"{name}={values[name]}" for name in ("data", "encoder", "features", "seed"))
    return Cell(values, (*words, *named, *SETTINGS, *WAYS[way]))


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
