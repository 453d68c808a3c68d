"""Who is served well: metrics by how much training had on a user or an item, from cold to warm."""

import numpy as np
import polars as pl

NUM_STRATA = 4


def degree_edges(degree: np.ndarray) -> np.ndarray:
    """Ascending upper bounds (included) of at most ``NUM_STRATA`` strata of about equal size, int64."""
    quantiles = np.quantile(degree, np.arange(1, NUM_STRATA + 1) / NUM_STRATA, method="inverted_cdf")
    return np.unique(quantiles.astype(np.int64))


def by_user_degree(per_user: pl.DataFrame, degree: np.ndarray) -> pl.DataFrame:
    """Means of the per-user metrics over users of like training degree.

    ``per_user`` has the user's number; ``degree`` [num_users]. Columns: kind, stratum, size, metrics.
    """
    own = degree[per_user["user"].to_numpy()]
    stratum, labels = _strata(own)
    metrics = [name for name in per_user.columns if "@" in name]
    table = (
        per_user.with_columns(pl.Series("stratum", stratum))
        .group_by("stratum")
        .agg(pl.len().cast(pl.Int64).alias("size"), pl.col(metrics).cast(pl.Float64).mean())
    )
    return _labelled(table, labels, "user degree", metrics)


def by_item_degree(hits: dict[int, np.ndarray], relevant: np.ndarray, degree: np.ndarray) -> pl.DataFrame:
    """Share of the held-out pairs that lists contain, over items of like training degree.

    ``hits[k]`` and ``relevant`` count an item's hits and its held-out pairs, int64 [num_items]; strata
    hold about as many held-out pairs each. Columns: kind, stratum, size (pairs), recall@k.
    """
    stratum, labels = _strata(np.repeat(degree, relevant))
    item_stratum = np.searchsorted(degree_edges(np.repeat(degree, relevant)), degree)
    size = np.bincount(stratum, minlength=len(labels))
    rows: dict[str, np.ndarray] = {"stratum": np.arange(len(labels)), "size": size}
    for k, counts in hits.items():
        found = np.bincount(np.minimum(item_stratum, len(labels) - 1), weights=counts, minlength=len(labels))
        rows[f"recall@{k}"] = found / np.maximum(size, 1)
    return _labelled(pl.DataFrame(rows), labels, "item degree", [f"recall@{k}" for k in hits])


def _strata(degree: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Stratum of each value, int64, and the strata's labels such as ``4-11``."""
    edges = degree_edges(degree)
    lower = [int(degree.min()), *(int(edge) + 1 for edge in edges[:-1])]
    labels = [f"{low}-{high}" if low < high else f"{high}" for low, high in zip(lower, edges, strict=True)]
    return np.searchsorted(edges, degree), labels


def _labelled(table: pl.DataFrame, labels: list[str], kind: str, metrics: list[str]) -> pl.DataFrame:
    names = table["stratum"].map_elements(lambda index: labels[index], return_dtype=pl.String)
    ordered = table.with_columns(kind=pl.lit(kind), label=names).sort("stratum")
    return ordered.select("kind", pl.col("label").alias("stratum"), pl.col("size").cast(pl.Int64), *metrics)
