"""What run.json tells."""

import pytest

from graftrec.pipeline.facts import random_seeds

EASE = {"model": {"name": "EASE", "settings": {"penalty": 30.0}}}
IALS = {"model": {"name": "iALS", "settings": {"dim": 64, "seed": 3}}}
BLEND = {"model": {"name": "blend", "settings": {"weight": 0.5}}}


def member(facts: dict, seed: int) -> dict:
    return {**facts, "settings": {"seed": seed}}


@pytest.mark.parametrize(
    ("facts", "seeds"),
    [
        pytest.param({}, [7], id="trained"),
        pytest.param(EASE, [], id="closed form"),
        pytest.param(IALS, [3], id="a random start of its own"),
        pytest.param({**BLEND, "members": [member(EASE, 2), member({}, 1)]}, [1], id="blend"),
        pytest.param({**BLEND, "members": [member({}, 0), member({}, 1)]}, [0, 1], id="blend of two trained"),
        pytest.param({**BLEND, "members": [{"name": "EASE"}, {"name": "lightgcn"}]}, [], id="blend without settings"),
    ],
)
def test_seeds_that_a_run_depends_on(facts: dict, seeds: list[int]) -> None:
    assert random_seeds(7, facts) == seeds
