"""From the words of a command line to objects."""

import pytest

from graftrec.data.sampling import EachPair, UniformUsers
from graftrec.pipeline.composed import composed
from graftrec.pipeline.prepare import prepare


@pytest.mark.parametrize(("words", "expected"), [([], EachPair), (["positives=uniform_users"], UniformUsers)])
def test_an_epoch_shows_the_pairs_that_positives_chooses(words: list[str], expected: type) -> None:
    prepared = prepare(composed(["data=synthetic", "features=none", "input=id", *words]), with_features=False)
    assert type(prepared.data.batches.positives.sampler) is expected


@pytest.mark.parametrize("name", ["lightgcn/gowalla", "lightgcn/gowalla_1_layer", "lightgcn/yelp2018_left"])
def test_recipes_of_the_lightgcn_paper_draw_users_as_its_code_does(name: str) -> None:
    assert composed([f"experiment={name}"]).positives._target_ == "graftrec.data.sampling.UniformUsers"
