"""Paired tests by hand-computed values and naive loops."""

import numpy as np
import pytest
from scipy import stats

from graftrec.reporting.significance import bootstrap, differences, holm, rank_biserial, wilcoxon


def test_holm_by_hand() -> None:
    # sorted .01 .03 .04 times 3 2 1: .03 .06 .04, never falling: .03 .06 .06
    assert holm(np.array([0.04, 0.01, 0.03])) == pytest.approx([0.06, 0.03, 0.06])


def test_holm_is_at_most_one_and_one_test_needs_no_correction() -> None:
    assert holm(np.array([0.6, 0.9])).tolist() == [1.0, 1.0]
    assert holm(np.array([0.2])).tolist() == [0.2]


def test_holm_of_a_family_with_tests_that_are_not_given() -> None:
    # of 6 tests: .01 * 6, .02 * 5
    assert holm(np.array([0.02, 0.01]), tests=6) == pytest.approx([0.1, 0.06])


def test_rank_biserial_by_hand() -> None:
    # ranks of |1 -2 3 4|: 1 2 3 4; (1 + 3 + 4 - 2) / 10; the zero does not count
    assert rank_biserial(np.array([1.0, -2.0, 0.0, 3.0, 4.0])) == pytest.approx(0.6)
    assert rank_biserial(np.array([0.5, 0.5])) == 1.0
    assert rank_biserial(np.zeros(3)) == 0.0


def test_wilcoxon_by_counting_signs() -> None:
    # of the 2^5 signs of ranks 1..5, two give a rank sum as extreme as all positive
    assert wilcoxon(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(2 / 32)
    assert wilcoxon(np.zeros(4)) == 1.0


def test_the_interval_is_that_of_scipy() -> None:
    pairs = np.random.default_rng(3).normal([0.1, -0.3], 1, (200, 2))
    low, high = bootstrap(pairs)
    for column in range(2):
        other = stats.bootstrap((pairs[:, column],), np.mean, n_resamples=10_000, method="percentile")
        assert (low[column], high[column]) == pytest.approx(other.confidence_interval, abs=0.015)
    assert (bootstrap(pairs) == (low, high)).all()


def test_a_planted_difference_is_found_and_an_equal_one_is_not() -> None:
    first = np.random.default_rng(0).random(300)
    better = first + np.random.default_rng(1).normal(0.05, 0.1, 300)
    worse, same = differences(first, [better, first.copy()])
    assert worse.significant
    assert worse.high < 0 < 0.05 < -2 * worse.mean < 0.15
    assert worse.effect < -0.3
    assert (same.mean, same.low, same.high, same.p, same.effect, same.differing) == (0, 0, 0, 1, 0, 0)


def test_noise_alone_is_rarely_called_significant() -> None:
    draws = np.random.default_rng(5)
    p = np.array([wilcoxon(draws.normal(0, 1, 60)) for _ in range(400)])
    assert 0.02 < (p < 0.05).mean() < 0.09


def test_sums_in_another_order_are_no_difference() -> None:
    first = np.array([0.1 + 0.2 + 0.3, 0.5])
    second = np.array([0.3 + 0.2 + 0.1, 0.5])
    assert first[0] != second[0]
    assert differences(first, [second])[0].differing == 0


def test_values_kept_in_float32_tie_as_they_did() -> None:
    hits = np.random.default_rng(2).integers(0, 21, (2, 500))
    exact, kept = hits / 20, (hits / 20).astype(np.float32)
    (expected,), (found,) = differences(exact[0], [exact[1]]), differences(kept[0], [kept[1]])
    assert (found.p, found.effect, found.differing) == (expected.p, expected.effect, expected.differing)


def test_equal_means_over_seeds_in_float32_are_no_difference() -> None:
    hits = np.random.default_rng(4).integers(1, 7, (3, 400))
    others = hits + np.array([[1], [-1], [0]])  # the same sum
    first, second = ((part / 7).astype(np.float32).astype(np.float64).mean(0) for part in (hits, others))
    assert differences(first, [second])[0].differing == 0


def test_the_best_of_many_equal_ones_is_rarely_called_better() -> None:
    draws = np.random.default_rng(6)
    false = 0
    for _ in range(100):
        values = draws.normal(0, 1, (8, 60))
        values = values[np.argsort(-values.mean(1))]  # as the best on test is chosen
        pairs = 8 * 7 // 2
        false += any(found.significant for found in differences(values[0], list(values[1:]), pairs))
    assert false <= 9
