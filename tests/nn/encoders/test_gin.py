"""Settings; the formula is tested in tests/reference."""

import pytest

from graftrec.errors import InputError
from graftrec.nn.encoders.gin import GIN


@pytest.mark.parametrize("train_eps", [True, False])
def test_eps_is_trained_on_request(train_eps: bool) -> None:
    names = [name for name, _ in GIN(dim=8, train_eps=train_eps).named_parameters()]
    assert any("eps" in name for name in names) is train_eps


def test_unknown_aggregation_is_refused() -> None:
    with pytest.raises(InputError, match=r"encoder.aggregation='max' is unknown; choose one of sum, mean"):
        GIN(dim=8, aggregation="max")
