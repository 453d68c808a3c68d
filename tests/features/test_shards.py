import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftrec.errors import InputError
from graftrec.features import shards as module
from graftrec.features.shards import Shards, digests, merge_small_shards, write_shard


def vector(text: str) -> list[float]:
    return [float(text), 2 * float(text)]


def write(folder: Path, texts: list[str], dtype: type = np.float32) -> Path:
    return write_shard(folder, digests(texts), np.array([vector(text) for text in texts], dtype=dtype))


BLOCKS = st.lists(st.lists(st.integers(0, 60).map(str), min_size=1, max_size=6, unique=True), max_size=12)


@settings(max_examples=60)
@given(blocks=BLOCKS, asked=st.lists(st.integers(0, 70).map(str), max_size=20), merge=st.booleans())
def test_what_was_written_is_found_and_nothing_else(blocks: list[list[str]], asked: list[str], merge: bool) -> None:
    written = {text for block in blocks for text in block}
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SMALL_SHARDS", 3)
        patch.setattr(module, "SHARD_BYTES", 56)  # seven vectors of two numbers
        folder = Path(name)
        for block in blocks:
            write(folder, block)
        if merge:
            merge_small_shards(folder)
        shards = Shards.of(folder)
        found = shards.find(digests(asked))
        known = [text for text in asked if text in written]
        assert [text for text, place in zip(asked, found, strict=True) if place >= 0] == known
        np.testing.assert_array_equal(
            shards.gather(found[found >= 0]), np.reshape([*map(vector, known)], (-1, 2))[:, : shards.width]
        )
        assert len(shards.distinct()[0]) == len(written)


def test_merging_keeps_one_copy_of_each_vector_in_shards_of_the_given_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SMALL_SHARDS", 4)
    monkeypatch.setattr(module, "SHARD_BYTES", 80)  # ten vectors
    for start in range(0, 24, 3):
        write(tmp_path, [str(n) for n in range(start, start + 4)])  # every third text twice
    merge_small_shards(tmp_path)
    assert sorted(len(keys) for keys in Shards.of(tmp_path).keys) == [5, 10, 10]


def test_few_small_shards_are_left_alone(tmp_path: Path) -> None:
    paths = {write(tmp_path, [str(n)]) for n in range(module.SMALL_SHARDS - 1)}
    merge_small_shards(tmp_path)
    assert set(tmp_path.iterdir()) == paths
    write(tmp_path, ["1000"])
    merge_small_shards(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_merged_shard_keeps_half_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALL_SHARDS", 2)
    for text in "12":
        write(tmp_path, [text], np.float16)
    merge_small_shards(tmp_path)
    shards = Shards.of(tmp_path)
    assert (len(shards.paths), shards.dtype) == (1, np.float16)


def test_killed_between_writing_and_deleting_a_merge_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SMALL_SHARDS", 2)
    for text in "123":
        write(tmp_path, [text])

    def stop(path: Path, missing_ok: bool) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patch.setattr(Path, "unlink", stop)
        merge_small_shards(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    for _ in range(2):  # both copies beside each other, then merged again
        shards = Shards.of(tmp_path)
        np.testing.assert_array_equal(shards.gather(shards.find(digests("312"))), [vector(text) for text in "312"])
        merge_small_shards(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_map_outlives_a_shard_that_is_merged_away(tmp_path: Path) -> None:
    path = write(tmp_path, ["1", "2"])
    keys, vectors = module._open(path)
    path.unlink()
    np.testing.assert_array_equal(vectors, [vector("1"), vector("2")])
    assert keys.tolist() == digests("12").tolist()


def test_a_shard_that_went_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    shards = Shards.of(write(tmp_path, ["1"]).parent)
    shards.paths[0].unlink()
    with pytest.raises(module.ShardGone):
        shards.gather(np.array([0]))


def test_vectors_of_two_widths_are_refused_with_what_to_remove(tmp_path: Path) -> None:
    write_shard(tmp_path, digests("1"), np.zeros((1, 2), dtype=np.float32))
    write_shard(tmp_path, digests("2"), np.zeros((1, 3), dtype=np.float32))
    with pytest.raises(InputError, match=rf"of \d and \d numbers.*graftrec features rm {tmp_path.name}"):
        Shards.of(tmp_path)


def test_no_digest_is_cut_at_a_zero_byte() -> None:
    keys = np.frombuffer(bytes(31) + b"\1" + bytes(32), dtype="S32")
    assert (keys[0] == keys[1], np.argsort(keys).tolist()) == (False, [1, 0])
