"""A queue of prompts: every answer is kept with its prompt as soon as it is there."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from graftrec.data.files import check_writable, written
from graftrec.errors import InputError
from graftrec.features.lock import locked
from graftrec.features.profiles.base import Generator
from graftrec.features.progress import progress

Read = Callable[[str], str]  # from an answer to what is wanted of it; raises Malformed


class Malformed(ValueError):
    """The answer is of no use; the message says why, in a word or two."""


@dataclass(frozen=True)
class Outcome:
    """What became of one prompt: the text that was wanted, or the last answer's problem."""

    text: str | None
    problem: str | None = None


@dataclass(frozen=True)
class Answers:
    """``answers.jsonl`` in ``folder``: a line {prompt, attempt, answer} an answer, good or bad, only ever added to."""

    folder: Path
    tries: int = 3

    def get(self, generator: Generator, prompts: Sequence[str], read: Read, title: str) -> list[Outcome]:
        """One outcome a prompt; only prompts without a good answer are asked, at most ``tries`` times in all."""
        if self._open(self._known(prompts), prompts, read):
            check_writable(self.folder, "paths.cache")
            with locked(self.folder):
                self._ask(generator, prompts, read, title)
        known = self._known(prompts)
        return [_outcome(known[prompt], read) for prompt in prompts]

    def _ask(self, generator: Generator, prompts: Sequence[str], read: Read, title: str) -> None:
        known = self._known(prompts)
        if not (waiting := self._open(known, prompts, read)):
            return  # another process has asked them meanwhile
        with written(self.folder / "generator.json", "paths.cache") as partial:
            partial.write_text(json.dumps(generator.fingerprint, indent=1))
        kept = len(set(prompts)) - len(waiting)
        print(f"{title}: {f'{kept:,} are there; ' if kept else ''}{generator.before(waiting)}", flush=True)
        with self._appending() as append, progress(title, len(waiting), sum(map(len, waiting)), "prompts") as advance:
            while waiting:
                attempt = min(len(known[prompt]) for prompt in waiting)
                batch = [prompt for prompt in waiting if len(known[prompt]) == attempt]
                for row, answer in generator(batch, attempt):
                    append({"prompt": batch[row], "attempt": attempt, "answer": answer})
                    known[batch[row]].append(answer)
                    settled = len(known[batch[row]]) >= self.tries or _outcome([answer], read).text is not None
                    advance(int(settled), len(batch[row]) * settled)
                waiting = self._open(known, prompts, read)

    def _open(self, known: dict[str, list[str]], prompts: Sequence[str], read: Read) -> list[str]:
        """Prompts to be asked, each once, alike lengths beside each other."""
        wanted = {p for p in prompts if len(known[p]) < self.tries and _outcome(known[p], read).text is None}
        return sorted(wanted, key=lambda prompt: (len(prompt), prompt))

    def _known(self, prompts: Sequence[str]) -> dict[str, list[str]]:
        """Answers by prompt, in the order of the attempts; a line that was cut short is left out."""
        known: dict[str, list[str]] = {prompt: [] for prompt in prompts}
        path = self.folder / "answers.jsonl"
        if not path.is_file():
            return known
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):  # by a process that was killed while it wrote
                    break
                try:
                    record = json.loads(line)
                    if record["prompt"] in known:
                        known[record["prompt"]].append(str(record["answer"]))
                except (ValueError, KeyError, TypeError) as error:
                    raise InputError(
                        f"Line {number} of {path} is damaged ({error}); delete the line: its prompt is asked again."
                    ) from error
        return known

    @contextmanager
    def _appending(self) -> Iterator[Callable[[dict[str, object]], None]]:
        with (self.folder / "answers.jsonl").open("ab") as file:
            _cut_last_line(file, self.folder / "answers.jsonl")

            def append(record: dict[str, object]) -> None:
                try:
                    file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
                    file.flush()
                except OSError as error:
                    raise InputError(
                        f"{self.folder} cannot be written ({error}). Set paths.cache elsewhere."
                    ) from error

            yield append


def _outcome(answers: Sequence[str], read: Read) -> Outcome:
    problem = None
    for answer in answers:
        try:
            return Outcome(read(answer))
        except Malformed as error:
            problem = str(error)
    return Outcome(None, problem)


def _cut_last_line(file: IO[bytes], path: Path) -> None:
    """Take away what a killed process left of a line."""
    content = path.read_bytes()
    file.truncate(content.rfind(b"\n") + 1)
