"""What a language model's text is worth where it comes in by other doors: profiles, adapting, columns, unseen users.

    python experiments/language_model_options/run.py [part=columns|cold_users|adapt|profiles ...]

``columns``: columns of the tables beside the text and alone. ``cold_users``: users that training never saw, by their
country. ``adapt``: MiniLM fine-tuned on pairs of training items. ``profiles``: what SmolLM2-135M writes of films.
All LightGCN. How to choose some of the runs and go on: see experiments/study.py.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import UNTUNED, Cell, Finished, main, markdown, mean_and_deviation, with_earlier  # noqa: E402

from graftrec.pipeline.composed import composed  # noqa: E402
from graftrec.pipeline.run_folder import RunFolder  # noqa: E402

SETTINGS = ("encoder=lightgcn", "objective=softmax", *UNTUNED)
ID, SUM = ("features=none", "input=id"), ("features=minilm", "input=id_plus_text")
COLUMNS_ALONE = ("features=none", "input=id_plus_text")
COLUMNS = {
    "amazon_office": ("tabular=columns", "tabular.items.categorical=[brand]"),
    "movielens_small": ("tabular=columns", "tabular.items.numeric=[year]", "tabular.items.multi_valued=[genres]"),
    "online_retail": ("tabular=columns", "tabular.users.categorical=[country]"),
}
PATIENT = "callbacks.early_stopping.patience=25"  # validation falls for some epochs before it rises, with columns
COLD = ("split=cold_user", "graph.isolated=self")
COUNTRY = ("tabular=columns", "tabular.users.categorical=[country]")
UNSEEN = {
    "online_retail": {
        "id": ID,
        "country": (*COLUMNS_ALONE, *COUNTRY),
        "country_as_text": (*SUM, "features.users=text"),
    },
    "lastfm_asia": {"id": ID, "country": (*COLUMNS_ALONE, *COUNTRY)},
}
INIT, TEXT = ("input=init", "conditioning=pca"), ("input=text", "conditioning=center")
ADAPTED = {
    "none": (),
    **{how: (f"adapt={how}", "adapt.max_pairs=1000", "adapt.seed=0") for how in ("lora", "full")},
    "lora_4000": ("adapt=lora", "adapt.max_pairs=4000", "adapt.seed=0"),
}
FILMS = ("filter.min_item=70",)  # 271: what one core can write profiles of in some minutes
WRITER = ("profile=smollm2", "profile.generator.max_new_tokens=40", "profile.generator.batch_size=32")
PROFILES = {
    "id": ID,
    "text": ("features=minilm", *INIT),
    "profile": ("features=minilm", *INIT, *WRITER, 'features.template="{profile}"', "features.missing=zero"),
    "text_and_profile": ("features=minilm", *INIT, *WRITER),
}
KEY = ("part", "data", "way", "seed")
METRICS = ("recall@20", "precision@20", "f1@20", "ndcg@20")
FIRST = {"columns": "id", "cold_users": "popularity", "adapt": "init_none", "profiles": "id"}  # compared with
NO_ITEM_KNN = "~baselines.models.item_knn"  # of users without items it says nothing


def cell(part: str, data: str, way: str, seed: int, *words: str) -> Cell:
    """One run; the baselines are computed beside the first seed's."""
    values = dict(zip(KEY, (part, data, way, seed), strict=True))
    beside = (NO_ITEM_KNN,) if part == "cold_users" else ()
    return Cell(values, (*SETTINGS, *words, f"seed={seed}", *(beside if seed == 0 else ("baselines=none",))))


def cells() -> Iterator[Cell]:
    """Every run, seed by seed."""
    for seed in (0, 1, 2):
        for data, ways in UNSEEN.items():
            source = friends() if data == "lastfm_asia" else (f"data={data}",)
            for way, words in ways.items():
                yield cell("cold_users", data, way, seed, *source, *COLD, *words)
        for way, words in PROFILES.items():
            yield cell("profiles", "movielens_small", way, seed, "data=movielens_small", *FILMS, *words)
        for data, columns in COLUMNS.items():
            ways = {"id": ID, "columns": (*COLUMNS_ALONE, *columns), "text": SUM, "text_and_columns": (*SUM, *columns)}
            for way, words in ways.items():
                yield cell("columns", data, way, seed, f"data={data}", PATIENT, *words)
        for (name, way), (how, words) in itertools.product({"text": TEXT, "init": INIT}.items(), ADAPTED.items()):
            words = ("data=movielens_small", *FILMS, "features=minilm", *way, *words)
            yield cell("adapt", "movielens_small", f"{name}_{how}", seed, *words)


def friends() -> tuple[str, ...]:
    """LastFM Asia's mutual friendships as pairs (user, friend), both ways, and the users' countries; made once."""
    paths = composed(()).paths
    raw, made = Path(paths.data).expanduser() / "lastfm-asia", Path(paths.cache).expanduser() / "tables/lastfm_asia"
    pairs, users = made / "friends.parquet", made / "users.parquet"
    if not users.is_file() and raw.is_dir():
        made.mkdir(parents=True, exist_ok=True)
        edges = pl.read_csv(raw / "edges.tsv.gz", separator="\t")
        both = [edges.select(user=pl.col(one), item=pl.col(other)) for one, other in (("src", "dst"), ("dst", "src"))]
        pl.concat(both).unique(maintain_order=True).write_parquet(pairs)
        nodes = pl.read_csv(raw / "nodes.tsv.gz", separator="\t")
        nodes.select(user="node", country=pl.col("label").cast(pl.String)).write_parquet(users)
    return "data=table", "data.name=lastfm_asia", f"data.interactions={pairs}", f"data.users={users}"


def table(results: pl.DataFrame, part: str) -> str:
    """Mean ± standard deviation over seeds; the last column compares recall with the part's first way."""
    lines = []
    for (data, way), runs in results.group_by("data", "way", maintain_order=True):
        base = results.filter(data=data, way=FIRST[part])["recall@20"].mean()
        change = f"{runs['recall@20'].mean() / base - 1:+.1%}" if base else ""
        lines.append([data, way, *(mean_and_deviation(runs[name]) for name in METRICS), len(runs), change])
    return markdown(["data", "way", *METRICS, "seeds", f"recall to {FIRST[part]}"], lines)


def report(finished: list[Finished]) -> None:
    """results.csv, a table for each part, and what adapting did to the language model."""
    rows = []
    for done in finished:
        part = done.cell.values["part"]
        rows += [{"part": part, "seed": 0, **row} for row in done.baseline_rows(METRICS, "way")]
        adapted = done.facts["adaptation"] or {}
        told = {name: adapted.get(name) for name in ("found_before", "found_after")}
        valid = RunFolder.read_json(done.run.metrics)["valid/ndcg@20"]
        rows.append({**done.row(METRICS), "valid/ndcg@20": valid, **told})
    results = with_earlier(pl.DataFrame(rows, infer_schema_length=None), HERE / "results.csv", KEY)
    results = results.sort("part", "data", "seed", maintain_order=True)
    results.write_csv(HERE / "results.csv", float_precision=6)
    for part in FIRST:
        chosen = results.filter(part=part)
        if not chosen.is_empty():
            (HERE / f"{part}.md").write_text(table(chosen, part), encoding="utf-8")


if __name__ == "__main__":
    main(HERE, list(cells()), report)
