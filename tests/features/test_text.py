import polars as pl
import pytest

from graftrec.errors import InputError
from graftrec.features.text import render

FILMS = pl.DataFrame(
    {"title": ["Alien", " Heat ", None], "year": [1979, None, None], "Lead Actor": ["Weaver", "", " "]}
)


def test_columns_are_joined_by_full_stops_without_empty_ones() -> None:
    assert render(FILMS, None)[:2] == ["Alien. 1979. Weaver", "Heat"]


def test_row_without_any_text_has_no_sentence() -> None:
    assert render(FILMS, None)[2] is None


def test_template_fills_its_fields_and_leaves_empty_ones_out() -> None:
    assert render(FILMS, "{title} ({year})") == ["Alien (1979)", "Heat ()", None]


def test_template_keeps_the_text_before_between_and_after_fields() -> None:
    assert render(FILMS.head(1), "a {title}, {year}, {title}!") == ["a Alien, 1979, Alien!"]


def test_template_row_with_empty_fields_has_no_sentence_though_other_columns_have_text() -> None:
    assert render(FILMS, "made in {year}")[1] is None


def test_template_may_name_a_column_with_a_space() -> None:
    assert render(FILMS.head(1), "with {Lead Actor}") == ["with Weaver"]


@pytest.mark.parametrize(("template", "field"), [("{title} by {author}", "author"), ("{title} {}", "")])
def test_unknown_field_is_refused(template: str, field: str) -> None:
    with pytest.raises(InputError, match=f"unknown field '{field}'; the text columns are .'title', 'year', 'Lead"):
        render(FILMS, template)


def test_template_without_field_is_refused() -> None:
    with pytest.raises(InputError, match="'a film' names no field; put text columns in braces"):
        render(FILMS, "a film")


BOOKS = pl.DataFrame(
    {
        "title": ["三体", "Dune", "红楼梦", "Emma", None],
        "author": ["刘慈欣", "Frank Herbert", None, " ", None],
        "year": [2008, None, 1791, None, None],
    }
)


def test_a_part_in_brackets_is_left_out_where_a_field_in_it_is_empty() -> None:
    assert render(BOOKS, "{title}[ by {author}][, {year}]") == [
        "三体 by 刘慈欣, 2008",
        "Dune by Frank Herbert",
        "红楼梦, 1791",
        "Emma",
        None,
    ]


def test_a_part_with_two_fields_needs_both() -> None:
    assert render(BOOKS, "《{title}》[({author},{year}年)]") == [
        "《三体》(刘慈欣,2008年)",
        "《Dune》",
        "《红楼梦》",
        "《Emma》",
        None,
    ]


def test_a_row_whose_only_fields_are_in_brackets_may_have_no_sentence() -> None:
    assert render(BOOKS, "[by {author}]") == ["by 刘慈欣", "by Frank Herbert", None, None, None]


def test_a_backslash_makes_brackets_braces_and_backslashes_part_of_the_text() -> None:
    assert render(BOOKS.head(1), r"\[{title}\] \{{year}\} \\[\[{author}\]]") == ["[三体] {2008} \\[刘慈欣]"]


@pytest.mark.parametrize(
    ("template", "character"),
    [("{title}]", 8), ("{title}[ by {author}", 8), ("{title}[a[{author}]]", 10), ("{title}[abc]", 12)],
)
def test_a_misplaced_bracket_is_refused(template: str, character: int) -> None:
    with pytest.raises(InputError, match=rf"the bracket at character {character} stands alone, inside another part"):
        render(BOOKS, template)
