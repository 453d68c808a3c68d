import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from graftrec.features.encoders.hashing import HashingEncoder

SENTENCES = ["red chair", "the quick brown fox", "Straße café 東京"]
DIGEST = "b122f7e81444766630ea568e68af2ec4c7d8603517a11d9376ffb85ab81f76a6"
PROGRAM = f"""
import hashlib
from graftrec.features.encoders.hashing import HashingEncoder
print(hashlib.sha256(HashingEncoder(64)({SENTENCES!r}).tobytes()).hexdigest())
"""


def test_vectors_are_the_same_on_every_machine() -> None:
    assert hashlib.sha256(HashingEncoder(64)(SENTENCES).tobytes()).hexdigest() == DIGEST


@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_vectors_are_the_same_in_every_process(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == DIGEST


def test_vectors_have_unit_length() -> None:
    np.testing.assert_allclose(np.linalg.norm(HashingEncoder(64)(SENTENCES), axis=1), 1, atol=1e-6)


def test_two_words_are_three_signed_terms_of_equal_size() -> None:
    vector = HashingEncoder(4096)(["red chair"])[0]
    np.testing.assert_allclose(np.abs(vector[vector != 0]), 3**-0.5, atol=1e-6)  # red, chair, and the pair


def test_word_order_matters() -> None:
    first, second = HashingEncoder(4096)(["red chair lamp", "lamp chair red"])
    np.testing.assert_allclose(first @ second, 3 / 5, atol=1e-6)  # three words are shared, no pair is


def test_shape_and_type() -> None:
    vectors = HashingEncoder(32)(SENTENCES)
    assert (vectors.shape, vectors.dtype) == ((3, 32), np.float32)


def test_fingerprint_tells_widths_apart() -> None:
    assert HashingEncoder(32).fingerprint != HashingEncoder(64).fingerprint
