import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from graftrec.errors import InputError
from graftrec.features.profiles.answers import Answers, Malformed, Outcome


class Writer:
    """Answers by a table of answers a prompt; keeps what it was asked."""

    def __init__(self, answers: dict[str, list[str]], stops_after: int = 1000) -> None:
        self.answers, self.asked, self.stops_after = answers, [], stops_after
        self.fingerprint = {"generator": "writer"}

    def before(self, prompts: Sequence[str]) -> str:
        return f"{len(prompts)} prompts"

    def __call__(self, prompts: Sequence[str], attempt: int) -> Iterator[tuple[int, str]]:
        for row in reversed(range(len(prompts))):
            if len(self.asked) == self.stops_after:
                raise KeyboardInterrupt
            self.asked.append((prompts[row], attempt))
            yield row, self.answers[prompts[row]][attempt]


def read(answer: str) -> str:
    if len(answer) < 3:
        raise Malformed("short" if answer else "empty")
    return answer.upper()


TABLE = {"a": ["good"], "bb": ["x", "", "fine"], "ccc": ["", "", "y"], "dddd": ["best"]}


def ask(folder: Path, writer: Writer, prompts: Sequence[str] = tuple(TABLE), tries: int = 3) -> list[Outcome]:
    return Answers(folder, tries).get(writer, prompts, read, "Test")


def test_malformed_answers_are_asked_again_and_then_told(tmp_path: Path) -> None:
    writer = Writer(TABLE)
    outcomes = ask(tmp_path, writer, ["dddd", "bb", "a", "ccc", "bb"])
    assert [outcome.text for outcome in outcomes] == ["BEST", "FINE", "GOOD", None, "FINE"]
    assert outcomes[3].problem == "short"
    assert sorted(writer.asked) == sorted(
        [("a", 0), ("dddd", 0), *(("bb", n) for n in range(3)), *(("ccc", n) for n in range(3))]
    )


def test_what_is_there_already_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(tmp_path, Writer(TABLE), ["a"])
    assert capsys.readouterr().out.startswith("Test: 1 prompts\n")
    ask(tmp_path, Writer(TABLE), ["a", "a", "bb", "dddd"])
    assert capsys.readouterr().out.startswith("Test: 1 are there; 2 prompts\n")


def test_every_answer_is_kept_with_its_prompt(tmp_path: Path) -> None:
    ask(tmp_path, Writer(TABLE))
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    kept = {(line["prompt"], line["attempt"]): line["answer"] for line in lines}
    assert kept == {
        (prompt, attempt): answer for prompt, answers in TABLE.items() for attempt, answer in enumerate(answers)
    }
    assert json.loads((tmp_path / "generator.json").read_text()) == {"generator": "writer"}


def test_what_is_answered_is_not_asked_again(tmp_path: Path) -> None:
    ask(tmp_path, Writer(TABLE), ["a", "ccc"])
    later = Writer(TABLE)
    ask(tmp_path, later)
    assert {prompt for prompt, _ in later.asked} == {"bb", "dddd"}


def test_more_tries_go_on_where_the_last_ones_ended(tmp_path: Path) -> None:
    ask(tmp_path, Writer(TABLE), ["bb"], tries=1)
    later = Writer(TABLE)
    assert ask(tmp_path, later, ["bb"])[0].text == "FINE"
    assert later.asked == [("bb", 1), ("bb", 2)]


@pytest.mark.parametrize("stop", range(8))
def test_interrupted_anywhere_it_goes_on_without_asking_twice(tmp_path: Path, stop: int) -> None:
    first = Writer(TABLE, stops_after=stop)
    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path, first)
    second = Writer(TABLE)
    assert ask(tmp_path, second) == ask(tmp_path / "whole", Writer(TABLE))
    assert len({*first.asked, *second.asked}) == len(first.asked) + len(second.asked) == 8


def test_a_line_that_was_cut_short_is_asked_again_and_taken_away(tmp_path: Path) -> None:
    whole = ask(tmp_path, Writer(TABLE))
    file = tmp_path / "answers.jsonl"
    file.write_bytes(file.read_bytes()[:-5])
    again = Writer(TABLE)
    assert ask(tmp_path, again) == whole
    assert len(again.asked) == 1
    assert [json.loads(line)["prompt"] for line in file.read_text().splitlines()].count("ccc") == 3


def test_another_damaged_line_is_named(tmp_path: Path) -> None:
    ask(tmp_path, Writer(TABLE))
    file = tmp_path / "answers.jsonl"
    file.write_text("nonsense\n" + file.read_text())
    with pytest.raises(InputError, match=r"Line 1 of .*answers.jsonl is damaged .*; delete the line"):
        ask(tmp_path, Writer(TABLE))


PROGRAM = """
import sys, time
from pathlib import Path
from tests.features.profiles.test_answers import *

class Slow(Writer):
    def __call__(self, prompts, attempt):
        for pair in super().__call__(prompts, attempt):
            with open(sys.argv[2], "a") as calls:
                calls.write("call\\n")
            time.sleep(0.01)
            yield pair

table = {f"prompt {n}": [f"answer {n}"] for n in range(60)}
Answers(Path(sys.argv[1])).get(Slow(table), list(table), read, "Test")
"""


def test_killed_at_random_moments_it_loses_at_most_one_answer_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "answers"), str(tmp_path / "calls")]
    moments = random.Random(0)
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        before = len(calls(tmp_path))
        while len(calls(tmp_path)) == before and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.15))
        process.kill()
        process.wait()
    assert subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0
    lines = [json.loads(line) for line in (tmp_path / "answers" / "answers.jsonl").read_text().splitlines()]
    assert {line["prompt"]: line["answer"] for line in lines} == {f"prompt {n}": f"answer {n}" for n in range(60)}
    assert len(calls(tmp_path)) <= 60 + 2


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    return path.read_text().splitlines() if path.is_file() else []
