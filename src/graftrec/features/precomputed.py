"""Vectors that the user made elsewhere."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from safetensors import SafetensorError

from graftrec.data.dataset import Dataset
from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError, check_choice
from graftrec.features.nodes import USERS, NodeFeatures, mean_of_items
from graftrec.features.store import FeatureStore


@dataclass(frozen=True)
class PrecomputedFeatures:
    """Item (and user) vectors from files.

    ``.parquet``: a column ``id`` and a list column ``vector``, in any order. ``.npy`` or
    ``.safetensors`` (one tensor, ``vectors``): a matrix whose rows follow ``<file>.ids.txt``, one id a
    line, or, where there is no such file, the sorted ids of the data set.
    ``users``: ``items`` (mean of training items), ``text`` (from ``user_file``) or ``none``.
    """

    item_file: str
    user_file: str | None = None
    users: str = "items"

    def __post_init__(self) -> None:
        check_choice("features.users", self.users, USERS)
        if self.users == "text" and self.user_file is None:
            raise InputError("features.users=text needs features.user_file.")

    def __call__(self, dataset: Dataset, store: FeatureStore) -> NodeFeatures:
        return self.outline(dataset)

    def outline(self, dataset: Dataset) -> NodeFeatures:
        """The features themselves: reading them is no long work."""
        items = read_vectors(Path(self.item_file), dataset.items)
        if self.users == "text":
            return NodeFeatures(read_vectors(Path(str(self.user_file)), dataset.users), items)
        if self.users == "none":
            return NodeFeatures(item=items)
        return NodeFeatures(mean_of_items(dataset.train, items), items, users_from_items=True)


def read_vectors(path: Path, vocabulary: Vocabulary) -> np.ndarray:
    """float32 [len(vocabulary), F], rows in vocabulary order; refuses missing ids and other shapes."""
    if not path.is_file():
        raise InputError(f"No feature file {path.absolute()}; expected .parquet, .npy or .safetensors.")
    try:
        ids, matrix = _read_matrix(path)
    except (OSError, ValueError, TypeError, EOFError, SafetensorError, pl.exceptions.PolarsError) as error:
        if isinstance(error, InputError):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"The feature file {path} cannot be read ({reason}); write it again.") from error
    numeric = matrix.ndim == 2 and matrix.dtype.kind in "iuf"
    with np.errstate(over="ignore"):
        matrix = matrix.astype(np.float32) if numeric else matrix
    if not numeric or not np.isfinite(matrix).all():
        raise InputError(
            f"{path} holds an array of {matrix.dtype} of shape {matrix.shape}; expected finite numbers [n, F]."
        )
    if ids is None:
        if len(matrix) != len(vocabulary):
            raise InputError(
                f"{path} has {len(matrix):,} rows; the data set has {len(vocabulary):,} {vocabulary.name}s. "
                f"Put the id of each row into {path}.ids.txt, one a line."
            )
        return matrix
    if len(ids) != len(matrix):
        raise InputError(f"{path} has {len(matrix):,} rows, but {len(ids):,} ids stand beside it; give each row one.")
    return matrix[_rows_of(ids, vocabulary, path)]


def _rows_of(ids: pl.Series, vocabulary: Vocabulary, path: Path) -> np.ndarray:
    rows = pl.DataFrame({"id": ids.cast(pl.String), "row": np.arange(len(ids))})
    twice = rows.filter(pl.col("id").is_duplicated())
    if len(twice):
        raise InputError(f"{path} has several rows for {vocabulary.name} {twice['id'][0]!r}; keep one vector an id.")
    wanted = vocabulary.ids.cast(pl.String).alias("id").to_frame()
    found = wanted.join(rows, on="id", how="left", maintain_order="left")["row"]
    if found.null_count():
        first = vocabulary.ids.filter(found.is_null())[0]
        raise InputError(
            f"{path} lacks {found.null_count():,} of {len(vocabulary):,} {vocabulary.name} ids (first: {first!r}); "
            f"add a vector for each."
        )
    return found.to_numpy()


def _read_matrix(path: Path) -> tuple[pl.Series | None, np.ndarray]:
    if path.suffix == ".parquet":
        table = pl.read_parquet(path)
        if not {"id", "vector"} <= set(table.columns):
            raise InputError(f"{path} has the columns {table.columns}; expected id and vector.")
        width = table["vector"].list.len().fill_null(0) if table["vector"].dtype == pl.List else None
        if width is not None and width.n_unique() != 1:
            raise InputError(f"{path}: vectors have {width.min()!r} to {width.max()!r} numbers; expected one width.")
        return table["id"], np.asarray(table["vector"].to_list())
    if path.suffix == ".npy":
        with path.open("rb") as file:
            matrix = np.lib.format.read_array(file, allow_pickle=False)
    elif path.suffix == ".safetensors":
        from safetensors.torch import load_file  # NumPy has no bfloat16

        tensors = load_file(path)
        if "vectors" not in tensors:
            raise InputError(f"{path} holds the tensors {sorted(tensors)}; expected one named vectors.")
        matrix = tensors["vectors"].float().numpy()
    else:
        raise InputError(f"{path} has the unknown ending {path.suffix!r}; expected .parquet, .npy or .safetensors.")
    names = path.with_name(path.name + ".ids.txt")
    return (pl.Series("id", names.read_text("utf-8").splitlines()) if names.is_file() else None), matrix
