import numpy as np
import pytest

from graftrec.features.encoders.random import RandomEncoder

PINNED = [
    [-0.0003, 0.4068, -0.0117, 0.7569, -0.1535, -0.1654, -0.0612, -0.4548],
    [0.4552, 0.5935, 0.4551, 0.0517, -0.1363, 0.1575, 0.2745, 0.3346],
    [-0.4222, -0.1876, -0.2829, 0.6833, 0.0093, -0.0335, -0.3759, 0.3117],
]
TEXTS = ["red chair", "红色椅子", "Straße"]


def test_vectors_are_the_same_on_every_machine() -> None:
    rounded = RandomEncoder(8)(TEXTS).round(4)
    np.testing.assert_array_equal(rounded, np.array(PINNED, dtype=np.float32))


def test_equal_texts_have_equal_vectors_in_any_company() -> None:
    np.testing.assert_array_equal(RandomEncoder()(["b", "a", "b"]), RandomEncoder()(["a", "b"])[[1, 0, 1]])


def test_vectors_have_unit_length_and_the_width_asked_for() -> None:
    vectors = RandomEncoder(50)(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((3, 50), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_directions_are_uniform() -> None:
    vectors = RandomEncoder(32)([str(number) for number in range(4000)])
    second_moment = vectors.T @ vectors / len(vectors)  # 1/32 on the diagonal, 0 elsewhere
    np.testing.assert_allclose(second_moment, np.eye(32) / 32, atol=5 * 2**0.5 / 32 / 4000**0.5)


def test_alike_texts_are_as_far_apart_as_others() -> None:
    near, far = RandomEncoder(10_000)(["red chair", "red chairs"])
    assert abs(float(near @ far)) < 0.05


def test_no_texts_have_no_vectors() -> None:
    assert RandomEncoder(7)([]).shape == (0, 7)


@pytest.mark.parametrize("dim", [16, 384])
def test_fingerprint_tells_widths_apart(dim: int) -> None:
    assert RandomEncoder(dim).fingerprint != RandomEncoder(dim + 1).fingerprint
