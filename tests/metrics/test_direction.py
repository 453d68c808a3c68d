"""Which value of a metric is the better one."""

import pytest

from graftrec.metrics.direction import best, is_lower_better


@pytest.mark.parametrize(
    ("name", "lower"),
    [
        ("valid/recall@20", False),
        ("ndcg@10", False),
        ("valid/gini@20", True),
        ("latency_ms", True),
        ("train/loss", True),
    ],
)
def test_the_direction_of_a_metric(name: str, lower: bool) -> None:
    assert is_lower_better(name) is lower


def test_the_best_value_is_the_first_of_equals() -> None:
    assert best([0.1, 0.3, 0.3], "ndcg@20") == 1
    assert best([0.3, 0.1, 0.1], "gini@20") == 1
