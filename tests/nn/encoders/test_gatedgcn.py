"""Settings; the formula is tested in tests/reference."""

import pytest

from graftrec.errors import InputError
from graftrec.nn.encoders.gatedgcn import GatedGCN


def test_unknown_aggregation_is_refused() -> None:
    with pytest.raises(InputError, match=r"encoder.aggregation='max' is unknown; choose one of sum, mean"):
        GatedGCN(dim=8, aggregation="max")
