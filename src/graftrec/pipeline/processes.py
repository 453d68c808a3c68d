"""``trainer=ddp``: training in several processes.

The main process prepares, logs, saves and tests. The others get model and data from it, take their part of every
batch and of every validation, and write nothing: what goes wrong in them is told to the main process.
"""

import os
import signal
import socket
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

import torch
from omegaconf import DictConfig
from pytorch_lightning import Trainer
from pytorch_lightning.loggers import Logger

from graftrec.pipeline import build
from graftrec.pipeline.allocator import keep_freed_memory
from graftrec.pipeline.run_folder import RunFolder
from graftrec.training.base import GraphModule
from graftrec.training.datamodule import GraphDataModule
from graftrec.training.processes import OneMachine


@dataclass(frozen=True, eq=False)
class Fit:
    """One training, from the last finished epoch if ``resumed``. Can be pickled before it begins."""

    config: DictConfig
    run: RunFolder
    module: GraphModule
    data: GraphDataModule[Any]
    resumed: bool

    def __call__(self, trainer: Trainer) -> None:
        """Train in this process."""
        if self.resumed:
            trainer.fit(self.module, self.data, ckpt_path=str(self.run.last), weights_only=True)
        else:
            trainer.fit(self.module, self.data)

    def as_one_of_several(self, machine: OneMachine, loggers: Sequence[Logger]) -> None:
        """Train in this process along with others that do the same."""
        self(build.build_trainer(self.config, self.run.checkpoints, loggers, machine))


@dataclass(frozen=True, eq=False)
class Other:
    """Another process and the end of a pipe on which it says "" once it is ready, then what went wrong."""

    process: BaseProcess
    reports: Connection

    @classmethod
    def start(cls, fit: Path, machine: OneMachine, threads: int) -> "Other":
        """Begin to work on the pickled ``fit``. A new interpreter: a fork would inherit locked thread pools."""
        context = get_context("spawn")
        reports, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(fit, machine, threads, theirs), daemon=True)
        process.start()
        theirs.close()
        return cls(process, reports)

    def report(self) -> str:
        """What it says next; waits for it."""
        try:
            return self.reports.recv()
        except EOFError:
            self.process.join()
            return f"It ended with code {self.process.exitcode}."


def fit_in_processes(fit: Fit, loggers: Sequence[Logger], count: int) -> None:
    """Train in this process and ``count`` - 1 others, which share the threads; a failure anywhere ends all."""
    threads = torch.get_num_threads()
    port = _free_port()
    share = max(1, threads // count)
    torch.set_num_threads(share)
    try:
        with _others(fit, [OneMachine(rank, port) for rank in range(1, count)], share) as others:
            try:
                fit.as_one_of_several(OneMachine(0, port), loggers)
            except RuntimeError as error:  # such as a lost connection
                _explain(error, others)
    finally:
        torch.set_num_threads(threads)
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


@contextmanager
def _others(fit: Fit, machines: Sequence[OneMachine], threads: int) -> Iterator[list[Other]]:
    """The other processes, ready to train; none is left afterwards."""
    others: list[Other] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.pt"
        torch.save(fit, path)
        try:
            others += [Other.start(path, machine, threads) for machine in machines]
            for other in others:
                if failure := other.report():
                    raise RuntimeError(f"A process of trainer=ddp did not start. {failure}")
            yield others
        finally:
            for other in others:
                other.process.kill()
                other.process.join()


def _explain(error: RuntimeError, others: Sequence[Other]) -> NoReturn:
    """Raise ``error``, or what went wrong in another process before."""
    failures = [other.report() for other in others if other.reports.poll()]
    if failures:
        raise RuntimeError(f"A process of trainer=ddp failed. {failures[0]}") from error
    raise error


def _work(path: Path, machine: OneMachine, threads: int, reports: Connection) -> None:
    """What another process does. Ctrl-C is left to the main process, which ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        torch.set_num_threads(threads)
        fit: Fit = torch.load(path, weights_only=False)
        if fit.config.keep_freed_memory:
            keep_freed_memory()
        reports.send("")
        fit.as_one_of_several(machine, [])
    except BaseException:
        reports.send(traceback.format_exc())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
