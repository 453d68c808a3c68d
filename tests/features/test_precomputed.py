from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import save_file

from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError
from graftrec.features.nodes import mean_of_items
from graftrec.features.precomputed import PrecomputedFeatures, read_vectors
from graftrec.features.store import FeatureStore
from tests.small_data import small_dataset

ITEMS = Vocabulary("item", pl.Series("item", ["i0", "i1", "i2"]))
NUMBERED = Vocabulary("item", pl.Series("item", [7, 8, 10]))
VECTORS = np.array([[0.5, 1.0], [2.0, 3.0], [4.0, 5.0]], dtype=np.float32)
DATASET = small_dataset([list("tve"), list("ett"), list("vet")])


def parquet(folder: Path, ids: list[str] | list[int], vectors: list[list[float]]) -> Path:
    """A table of ids and vectors."""
    path = folder / "vectors.parquet"
    pl.DataFrame({"id": ids, "vector": vectors}).write_parquet(path)
    return path


def npy(folder: Path, matrix: np.ndarray, ids: list[str] | None = None) -> Path:
    """A matrix, with an id file beside it if ``ids`` are given."""
    path = folder / "vectors.npy"
    np.save(path, matrix)
    if ids is not None:
        (folder / "vectors.npy.ids.txt").write_text("\n".join(ids) + "\n")
    return path


def safetensors(folder: Path, **tensors: torch.Tensor) -> Path:
    """Named tensors."""
    path = folder / "vectors.safetensors"
    save_file(tensors, path)
    return path


def test_parquet_rows_are_put_into_vocabulary_order(tmp_path: Path) -> None:
    path = parquet(tmp_path, ["i2", "i0", "other", "i1"], [[4.0, 5.0], [0.5, 1.0], [9.0, 9.0], [2.0, 3.0]])
    np.testing.assert_array_equal(read_vectors(path, ITEMS), VECTORS)


def test_ids_may_be_written_as_numbers_or_text(tmp_path: Path) -> None:
    path = parquet(tmp_path, ["10", "7", "8"], [[4.0, 5.0], [0.5, 1.0], [2.0, 3.0]])
    np.testing.assert_array_equal(read_vectors(path, NUMBERED), VECTORS)


def test_npy_without_ids_follows_the_vocabulary(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_vectors(npy(tmp_path, VECTORS), ITEMS), VECTORS)


def test_npy_with_ids_is_put_into_vocabulary_order(tmp_path: Path) -> None:
    path = npy(tmp_path, VECTORS[[1, 2, 0]], ["i1", "i2", "i0"])
    np.testing.assert_array_equal(read_vectors(path, ITEMS), VECTORS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_safetensors_of_every_float_type(dtype: torch.dtype, tmp_path: Path) -> None:
    path = safetensors(tmp_path, vectors=torch.from_numpy(VECTORS).to(dtype))
    np.testing.assert_array_equal(read_vectors(path, ITEMS), VECTORS)


def test_vectors_are_read_as_float32(tmp_path: Path) -> None:
    assert read_vectors(npy(tmp_path, VECTORS.astype(np.float64)), ITEMS).dtype == np.float32


def test_missing_ids_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks 2 of 3 item ids \(first: 'i0'\)"):
        read_vectors(parquet(tmp_path, ["i1", "x"], [[1, 2], [3, 4]]), ITEMS)


def test_wrong_row_count_without_ids_is_refused(tmp_path: Path) -> None:
    expected = r"has 2 rows; the data set has 3 items. Put the id of each row into .*vectors.npy.ids.txt"
    with pytest.raises(InputError, match=expected):
        read_vectors(npy(tmp_path, VECTORS[:2]), ITEMS)


def test_wrong_number_of_ids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 3 rows, but 2 ids stand beside it"):
        read_vectors(npy(tmp_path, VECTORS, ["i0", "i1"]), ITEMS)


def test_ragged_vectors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vectors have 1 to 2 numbers; expected one width"):
        read_vectors(parquet(tmp_path, ["i0", "i1", "i2"], [[1, 2], [3], [4, 5]]), ITEMS)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_numbers_that_are_not_finite_in_float32_are_refused(value: float, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shape \(3, 1\); expected finite numbers"):
        read_vectors(npy(tmp_path, np.array([[1.0], [value], [2.0]])), ITEMS)


@pytest.mark.parametrize(("matrix", "described"), [(VECTORS[:, 0], r"shape \(3,\)"), (np.full((3, 1), "a"), "<U1")])
def test_arrays_that_are_no_matrix_of_numbers_are_refused(matrix: np.ndarray, described: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{described}.*; expected finite numbers"):
        read_vectors(npy(tmp_path, matrix), ITEMS)


def test_null_in_a_vector_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.parquet"
    pl.DataFrame({"id": ["i0", "i1", "i2"], "vector": [[1.0], [None], [2.0]]}).write_parquet(path)
    with pytest.raises(InputError, match="expected finite numbers"):
        read_vectors(path, ITEMS)


def test_parquet_needs_its_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "vectors.parquet"
    pl.DataFrame({"item": ["i0"], "vector": [[1.0]]}).write_parquet(path)
    with pytest.raises(InputError, match=r"columns \['item', 'vector'\]; expected id and vector"):
        read_vectors(path, ITEMS)


def test_safetensors_needs_its_tensor(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds the tensors \['item'\]; expected one named vectors"):
        read_vectors(safetensors(tmp_path, item=torch.ones(3, 2)), ITEMS)


def test_unknown_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vectors.csv").write_text("1,2")
    with pytest.raises(InputError, match=r"unknown ending '.csv'; expected .parquet, .npy or .safetensors"):
        read_vectors(tmp_path / "vectors.csv", ITEMS)


def test_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"No feature file .*absent.npy"):
        read_vectors(tmp_path / "absent.npy", ITEMS)


def test_users_are_the_mean_of_training_items(tmp_path: Path) -> None:
    made = PrecomputedFeatures(str(npy(tmp_path, VECTORS)))(DATASET, FeatureStore(tmp_path))
    np.testing.assert_array_equal(made.user, mean_of_items(DATASET.train, VECTORS))


def test_users_from_a_file_of_their_own(tmp_path: Path) -> None:
    users = parquet(tmp_path, ["u2", "u1", "u0"], [[1], [2], [3]])
    features = PrecomputedFeatures(str(npy(tmp_path, VECTORS)), str(users), users="text")
    np.testing.assert_array_equal(features(DATASET, FeatureStore(tmp_path)).user, [[3], [2], [1]])


def test_users_may_have_no_vectors(tmp_path: Path) -> None:
    made = PrecomputedFeatures(str(npy(tmp_path, VECTORS)), users="none")(DATASET, FeatureStore(tmp_path))
    assert made.user is None


def test_user_text_needs_a_user_file() -> None:
    with pytest.raises(InputError, match=r"features.users=text needs features.user_file"):
        PrecomputedFeatures("items.npy", users="text")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("ending", ["npy", "safetensors", "parquet"])
def test_damaged_files_are_refused(tmp_path: Path, ending: str, share: float) -> None:
    if ending == "parquet":
        path = parquet(tmp_path, ["i0", "i1", "i2"], VECTORS.tolist())
    else:
        path = npy(tmp_path, VECTORS) if ending == "npy" else safetensors(tmp_path, vectors=torch.from_numpy(VECTORS))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError, match=rf"feature file .*vectors.{ending} cannot be read \(.+\); write it again"):
        read_vectors(path, ITEMS)


def test_pickled_and_zipped_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "vectors.npz", vectors=VECTORS)
    zipped = (tmp_path / "vectors.npz").rename(tmp_path / "zipped.npy")
    pickled = npy(tmp_path, np.array([{}], dtype=object))
    for path in (zipped, pickled):
        with pytest.raises(InputError, match=r"cannot be read .*; write it again"):
            read_vectors(path, ITEMS)


def test_ids_in_another_encoding_are_refused(tmp_path: Path) -> None:
    path = npy(tmp_path, VECTORS)
    (tmp_path / "vectors.npy.ids.txt").write_bytes("é\ni1\ni2\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"cannot be read \('utf-8' codec"):
        read_vectors(path, ITEMS)


def test_duplicate_ids_are_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, ["i0", "i1", "i1", "i2"], [[1.0], [2.0], [3.0], [4.0]])
    with pytest.raises(InputError, match=r"has several rows for item 'i1'; keep one vector an id"):
        read_vectors(path, ITEMS)
    with pytest.raises(InputError, match=r"has several rows for item 'i2'"):
        read_vectors(npy(tmp_path, VECTORS, ["i2", "i0", "i2"]), ITEMS)
