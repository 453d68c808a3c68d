"""When a number counts as reproduced."""

import pytest

from graftrec.errors import InputError
from graftrec.pipeline.reproduce import Paper, recipe, verdict


@pytest.mark.parametrize(
    ("values", "or_above", "passed"),
    [
        ([0.1830], False, True),
        ([0.1803], False, True),
        ([0.1850], False, False),
        ([0.1850], True, True),
        ([0.1802], True, False),
        ([0.1790, 0.1850], False, True),  # their mean is on target
    ],
)
def test_the_mean_must_lie_within_the_tolerance(values: list[float], or_above: bool, passed: bool) -> None:
    paper = Paper("title", "row", {"test/recall@20": 0.1823}, tolerance=0.002, or_above=or_above)
    assert verdict(paper, "test/recall@20", values).passed == passed


def test_mean_and_sample_deviation_of_three_seeds() -> None:
    result = verdict(Paper("title", "row", {"m": 0.2}, 0.01), "m", [0.1, 0.2, 0.6])
    assert (result.got, result.std, result.difference) == pytest.approx((0.3, 0.07**0.5, 0.1))


def test_a_recipe_that_is_left_without_targets_is_refused() -> None:
    with pytest.raises(InputError, match=r"paper\.targets of experiment=gfcf/gowalla is empty; give metrics"):
        recipe("gfcf/gowalla", ["paper.targets={test/recall@20: null, test/ndcg@20: null}"])
