"""Atoms of what users declare with the SDK: jobs and tasks, and the decorators that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.graph.atoms import Atom

if TYPE_CHECKING:
    from analyzer.graph.atoms import Function, Value
    from analyzer.graph.frames import Frame


class Task(Atom):
    """A task: a function whose calls are durable."""

    __slots__ = ("function", "name")

    def __init__(self, function: Value, name: str) -> None:
        self.function = function
        self.name = name


class Job(Atom):
    """A job.

    Attributes:
        function: the function that ``@job`` was given: the defined one, or what a decorator below made of it.
        id: its id, when it is known; empty otherwise.
        body: the function whose statements are the job's body.
    """

    __slots__ = ("body", "function", "id")

    def __init__(self, function: Function, job_id: str, body: Function) -> None:
        self.function = function
        self.id = job_id
        self.body = body


class JobDecorator(Atom):
    """``job(id=...)``: makes a job of a function.

    Attributes:
        id: the id, when it is known; empty otherwise.
        at: the call.
        frame: where it stands.
        home: the module it stands in.
    """

    __slots__ = ("at", "frame", "home", "id")

    def __init__(self, job_id: str, at: int, frame: Frame) -> None:
        self.id = job_id
        self.at = at
        self.frame = frame
        self.home = frame.home


class TaskDecorator(Atom):
    """``task(...)``: makes a task of a function."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name
