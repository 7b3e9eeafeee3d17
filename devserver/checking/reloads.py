"""When to check: after each reload, once the new worker serves or has failed, so that no worker starts later for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from devserver.checking.messages import CheckAnswer, CheckRequest, Memory
from devserver.errors import CheckFailed
from devserver.notices import Notices, Ready
from devserver.sources import CONFIGURATION, Change
from trigger_sdk.protocol.problem import Problem


class Check(Protocol):
    """One check, in a process of its own."""

    def run(self, request: CheckRequest) -> CheckAnswer | None:
        """Return the answer, None after :meth:`stop`; blocks, and is called in a thread. Raises CheckFailed."""

    def stop(self) -> None:
        """Give it up; called on the loop."""


class Teller(Protocol):
    """Shows what a check has to say."""

    def say(self, text: str, *more: str) -> None:
        """Show a message; further lines are indented below it."""

    def show_problem(self, problem: Problem, *, label: str = "error") -> None:
        """Show a problem."""


class ReloadChecks:
    """Hears of reloads in the place of the developer, passes everything on, and has the project checked.

    A check that a save has made out of date is given up: the next one is made when that save's worker is there.

    Args:
        root: the project's root.
        notices: who is to be told about workers.
        teller: who is to be told about findings.
        new_check: makes a check.
        python: interpreter of the jobs, where that is not what the project says; empty otherwise.
        is_coloured: ``teller`` shows colours.
    """

    def __init__(
        self,
        root: Path,
        notices: Notices,
        teller: Teller,
        new_check: Callable[[], Check],
        *,
        python: str = "",
        is_coloured: bool = False,
    ) -> None:
        self._root = root
        self._notices = notices
        self._teller = teller
        self._new_check = new_check
        self._python = python
        self._is_coloured = is_coloured
        self._loop = asyncio.get_running_loop()
        self._memory = Memory()
        self._saved: set[str] = set()
        self._is_due = True
        self._is_off = False
        self._failure: Problem | None = None
        self._check: Check | None = None
        self._rounds: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Give up what is under way, and check nothing more."""
        self._is_off = True
        self._give_up()
        if self._rounds:
            await asyncio.wait(self._rounds)

    # --- devserver.notices.Notices ------------------------------------------------------------------------------

    def reloading(self, changes: Sequence[Change]) -> None:
        """Remember what was saved; what is being checked is out of date."""
        self._notices.reloading(changes)
        self._give_up()
        self._saved.update(change.path for change in changes)
        self._is_due = True
        if not self._saved.isdisjoint(CONFIGURATION):
            self._is_off = False

    def ready(self, news: Ready) -> None:
        """Check what was saved."""
        self._notices.ready(news)
        self._begin(())

    def failed(self, problems: Sequence[Problem], *, old_goes_on: bool) -> None:
        """Check what was saved; what keeps it from being served is told already."""
        self._notices.failed(problems, old_goes_on=old_goes_on)
        self._begin(tuple(problem.where for problem in problems))

    def crashed(self, problem: Problem, *, restart_in: float | None) -> None:
        """Pass it on."""
        self._notices.crashed(problem, restart_in=restart_in)

    def stuck(self, problem: Problem) -> None:
        """Check what was saved: the worker may never come."""
        self._notices.stuck(problem)
        self._begin(())

    def cut_off(self, pid: int) -> None:
        """Pass it on."""
        self._notices.cut_off(pid)

    def said(self, text: str) -> None:
        """Pass it on."""
        self._notices.said(text)

    # --- checks -------------------------------------------------------------------------------------------------

    def _begin(self, told: tuple[str, ...]) -> None:
        if self._is_off or not self._is_due or self._check is not None:
            return
        self._is_due = False
        request = CheckRequest(
            root=str(self._root),
            parent=os.getpid(),
            memory=self._memory,
            saved=tuple(sorted(self._saved)),
            told=told,
            python=self._python,
            is_coloured=self._is_coloured,
        )
        self._check = self._new_check()
        task = self._loop.create_task(self._run(self._check, request))
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    def _give_up(self) -> None:
        if self._check is not None:
            self._check.stop()
            self._check = None

    async def _run(self, check: Check, request: CheckRequest) -> None:
        try:
            answer = await asyncio.to_thread(check.run, request)
        except CheckFailed as error:
            answer = CheckAnswer(memory=request.memory, failure=error.problem)
        if check is not self._check or answer is None:
            return
        self._check = None
        if answer.is_made:
            self._saved.clear()
        self._memory = answer.memory
        self._is_off = answer.is_off
        self._tell(answer)

    def _tell(self, answer: CheckAnswer) -> None:
        if answer.failure is not None and answer.failure != self._failure:
            self._teller.show_problem(answer.failure, label="warning")
        self._failure = answer.failure
        for problem in answer.warnings:
            self._teller.show_problem(problem, label="warning")
        for first, *more in answer.messages:
            self._teller.say(first, *more)
