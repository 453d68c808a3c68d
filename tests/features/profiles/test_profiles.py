from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.features.profiles.answers import Malformed
from graftrec.features.profiles.profiles import Profiles, field_of
from graftrec.features.profiles.prompts import Prompts
from tests.small_data import from_matrix, small_dataset

PARTS = [list("tve."), list(".tve"), list("et.v")]
TITLES = pl.DataFrame({"title": ["red chair", "blue chair", "red lamp", None]})
PROMPTS = Prompts(item="Item: {text}", user="User: {items}")


@dataclass
class Echo:
    """Answers with the prompt in capital letters; keeps all prompts."""

    prompts: list[str] = field(default_factory=list)
    fingerprint: dict[str, object] = field(default_factory=lambda: {"generator": "echo"})

    def before(self, prompts: Sequence[str]) -> str:
        return f"{len(prompts)} prompts"

    def __call__(self, prompts: Sequence[str], attempt: int) -> Iterator[tuple[int, str]]:
        self.prompts += prompts
        yield from enumerate(prompt.upper() for prompt in prompts)


def profiles(folder: Path, **settings: object) -> Profiles:
    return Profiles(**{"generator": Echo(), "prompts": PROMPTS, "folder": str(folder), "min_characters": 5, **settings})  # type: ignore[arg-type]


def test_an_item_s_profile_stands_beside_its_other_columns(tmp_path: Path) -> None:
    made = profiles(tmp_path)(small_dataset(PARTS, TITLES))
    assert made.item_text is not None
    assert made.item_text.columns == ["title", "profile"]
    assert made.item_text["profile"].to_list() == ["ITEM: RED CHAIR", "ITEM: BLUE CHAIR", "ITEM: RED LAMP", None]
    assert made.user_text is None


def test_a_user_s_prompt_may_read_the_items_new_profiles(tmp_path: Path) -> None:
    prompts = replace(PROMPTS, item_line="{profile}")
    made = profiles(tmp_path, of="both", prompts=prompts)(small_dataset(PARTS, TITLES))
    assert made.user_text is not None
    assert made.user_text["profile"][0] == "USER: - ITEM: RED CHAIR"


def test_what_is_malformed_is_told_and_has_no_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = profiles(tmp_path, min_characters=15)(small_dataset(PARTS, TITLES))
    assert made.item_text is not None
    assert made.item_text["profile"].null_count() == 2
    told = capsys.readouterr().out
    assert (
        "Profiles of items: 2 of 4 written, 1 malformed in 3 tries (shorter than 15 characters), 1 without a text"
        in told
    )
    assert "features.missing says what they get" in told


def test_another_prompt_or_generator_asks_again_and_the_same_does_not(tmp_path: Path) -> None:
    dataset, first, again = small_dataset(PARTS, TITLES), Echo(), Echo()
    for generator in (first, again):
        profiles(tmp_path, generator=generator)(dataset)
    assert (len(first.prompts), again.prompts) == (3, [])
    profiles(tmp_path, generator=again, prompts=replace(PROMPTS, item="About {text}"))(dataset)
    assert again.prompts == ["About red lamp", "About red chair", "About blue chair"]
    other = Echo(fingerprint={"generator": "other"})
    profiles(tmp_path, generator=other)(dataset)
    assert len(other.prompts) == 3


def test_the_outline_has_the_same_columns_and_asks_nothing(tmp_path: Path) -> None:
    generator = Echo()
    made = profiles(tmp_path, generator=generator, of="both").outline(small_dataset(PARTS, TITLES))
    assert made.item_text is not None
    assert made.user_text is not None
    assert made.item_text["profile"].is_null().to_list() == [False, False, False, True]
    assert (generator.prompts, list(tmp_path.iterdir())) == ([], [])


CELLS = st.lists(st.sampled_from("ve."), min_size=12, max_size=12)


@given(cells=CELLS)
def test_held_out_pairs_change_no_prompt(cells: list[str]) -> None:
    """Training is the diagonal; everything else is validation, test or nothing."""
    grid = np.array(cells).reshape(3, 4)
    grid[range(3), range(3)] = "t"
    train, valid, test = (from_matrix(grid == letter) for letter in "tve")
    titles = pl.DataFrame({"title": ["red chair", "blue chair", "red lamp", "garden hose"]})
    dataset = small_dataset([list("tve."), list("vte."), list("vet.")], titles)
    if len(valid) and len(test):
        dataset = replace(dataset, train=train, valid=valid, test=test)
    outline = profiles(Path("nowhere"), of="users").outline(dataset)
    assert outline.user_text is not None
    assert outline.user_text["profile"].to_list() == [f"User: - {title}" for title in titles["title"][:3]]


def test_training_pairs_that_are_held_out_too_are_refused(tmp_path: Path) -> None:
    dataset: Dataset = small_dataset(PARTS, TITLES)
    with pytest.raises(InputError, match=r"3 of 3 training pairs of small are validation or test pairs, too"):
        profiles(tmp_path, of="users")(replace(dataset, test=dataset.train))
    profiles(tmp_path, of="items")(replace(dataset, test=dataset.train))


@pytest.mark.parametrize(
    "answer", ['{"profile": "likes chairs"}', 'Sure!\n```json\n{"a": {}, "profile": "likes chairs"}\n```']
)
def test_a_field_of_json_is_found_among_other_words(answer: str) -> None:
    assert field_of(answer, "profile") == "likes chairs"


@pytest.mark.parametrize(
    "answer", ["", "likes chairs", "{", '{"other": "x"}', '{"profile": ["x"]}', '["profile"]', "} {"]
)
def test_what_is_not_the_json_asked_for_is_malformed(answer: str) -> None:
    with pytest.raises(Malformed, match="not the JSON asked for"):
        field_of(answer, "profile")


def test_data_without_item_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no item text to write profiles from"):
        profiles(tmp_path).outline(small_dataset(PARTS))
