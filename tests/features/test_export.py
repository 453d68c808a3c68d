from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError
from graftrec.features.export import write_vectors
from graftrec.features.precomputed import read_vectors

VECTORS = np.array([[0.1, -2], [3, 4], [5, 6e-8]], dtype=np.float32)


@pytest.mark.parametrize("ids", [[3, 5, 20], ["a b", "b,c", "ü"]], ids=["numbers", "texts"])
@pytest.mark.parametrize("ending", ["parquet", "npy", "safetensors"])
def test_what_is_written_is_read_back_bit_for_bit_in_any_order(tmp_path: Path, ending: str, ids: list) -> None:
    path = tmp_path / f"vectors.{ending}"
    write_vectors(path, ids[::-1], VECTORS[::-1])
    np.testing.assert_array_equal(read_vectors(path, Vocabulary.of("item", pl.Series(ids))), VECTORS)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown ending '.csv'; expected one of .parquet, .npy, .safetensors"):
        write_vectors(tmp_path / "vectors.csv", [1, 2, 3], VECTORS)
