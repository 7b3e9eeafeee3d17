"""What the dev server and the process of a check tell each other, as JSON."""

from __future__ import annotations

from msgspec import Struct

from trigger_sdk.protocol.problem import Problem


class Memory(Struct, frozen=True, kw_only=True):
    """What the developer knows from earlier checks. The dev server keeps it, and does not look into it.

    Attributes:
        is_first: no check of the whole project has been made yet.
        known: fingerprint of each error and warning that is there, with what stays the same when its line is edited.
        shown: fingerprints of those that were shown in full.
        problems: what kept the check from seeing all, as it was told.
    """

    is_first: bool = True
    known: dict[str, str] = {}
    shown: frozenset[str] = frozenset()
    problems: frozenset[str] = frozenset()


class CheckRequest(Struct, frozen=True, kw_only=True):
    """What to check.

    Attributes:
        root: the project's root.
        parent: process id of the dev server; the check ends with it.
        memory: what the developer knows.
        saved: files that were saved since the last check, relative to the root.
        told: places of errors that the worker has reported just now, ``jobs/a.py:3``.
        python: interpreter of the jobs, where that is not what the project says; empty otherwise.
        is_coloured: the answer is for a terminal with colours.
    """

    root: str
    parent: int
    memory: Memory
    saved: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    python: str = ""
    is_coloured: bool = False


class CheckAnswer(Struct, frozen=True, kw_only=True):
    """What a check has to say.

    Attributes:
        memory: what the developer knows now.
        is_made: the project was checked.
        messages: what is new, each with its first line and those below it; safe to print.
        warnings: what kept the check from seeing all, unless it was told before.
        failure: why no check could be made, or None.
        is_off: the configuration wants no check.
    """

    memory: Memory
    is_made: bool = False
    messages: tuple[tuple[str, ...], ...] = ()
    warnings: tuple[Problem, ...] = ()
    failure: Problem | None = None
    is_off: bool = False
