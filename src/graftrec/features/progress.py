"""A progress bar for long work on texts: how many a second, time left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, float], None]  # (things done, work done)


@contextmanager
def progress(title: str, count: int, work: float, things: str = "texts") -> Iterator[Advance]:
    """Counts things; the time left follows the ``work``, such as characters, which differs from thing to thing."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    told = "{task.fields[done]:,}/{task.fields[count]:,} {task.fields[things]}, {task.fields[rate]:,.1f}/s"
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn(told), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task(title, total=work, done=0, count=count, things=things, rate=0.0)
        start, done = time.monotonic(), 0

        def advance(things_done: int, work_done: float) -> None:
            nonlocal done
            done += things_done
            bar.update(task, advance=work_done, done=done, rate=done / max(time.monotonic() - start, 1e-3))

        yield advance
