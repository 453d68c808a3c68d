import time
from pathlib import Path

import numpy as np
import pytest

from graftrec.errors import InputError
from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.shards import digests
from graftrec.features.store import FeatureStore
from graftrec.features.stored import Stored, all_stored, find_stored

TEXTS = ["red chair", "blue lamp", "sea"]


@pytest.fixture
def two(tmp_path: Path) -> list[Stored]:
    """The vectors of two encoders, the narrow one used last."""
    for dim in (8, 4):
        FeatureStore(tmp_path).get(HashingEncoder(dim), TEXTS)
        time.sleep(0.02)
    return all_stored(tmp_path)


def test_the_last_used_comes_first(two: list[Stored], tmp_path: Path) -> None:
    assert [(stored.shards.width, stored.texts) for stored in two] == [(4, 3), (8, 3)]
    FeatureStore(tmp_path).get(HashingEncoder(8), TEXTS[:1])
    assert [stored.shards.width for stored in all_stored(tmp_path)] == [8, 4]


def test_what_made_the_vectors_is_known(two: list[Stored]) -> None:
    assert two[0].about["fingerprint"] == HashingEncoder(4).fingerprint
    assert two[0].about["encoder"] == "HashingEncoder(dim=4)"
    assert abs(two[0].about["created"] - time.time()) < 60


def test_vectors_stand_beside_the_digests_of_their_texts(two: list[Stored]) -> None:
    keys, vectors = two[0].vectors()
    wanted = [bytes(digest).ljust(32, b"\0").hex() for digest in digests(TEXTS).tolist()]
    np.testing.assert_array_equal(vectors[[keys.index(digest) for digest in wanted]], HashingEncoder(4)(TEXTS))


def test_the_beginning_of_a_key_is_enough_where_it_is_the_only_one(two: list[Stored], tmp_path: Path) -> None:
    assert find_stored(tmp_path, two[1].key[:6]).key == two[1].key
    with pytest.raises(InputError, match=rf"Several keys begin with '' in .*{two[1].key[:12]}.*features ls"):
        find_stored(tmp_path, "")
    with pytest.raises(InputError, match="No key begins with 'xyz'"):
        find_stored(tmp_path, "xyz")


def test_one_is_removed_and_the_other_stays(two: list[Stored], tmp_path: Path) -> None:
    two[0].remove()
    assert [stored.key for stored in all_stored(tmp_path)] == [two[1].key]
    FeatureStore(tmp_path).get(HashingEncoder(4), TEXTS)  # what was removed is encoded again
    assert all_stored(tmp_path)[0].texts == 3


def test_an_empty_store_holds_nothing(tmp_path: Path) -> None:
    assert all_stored(tmp_path / "nothing") == []
