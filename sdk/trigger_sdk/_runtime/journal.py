"""A run's journal as an attempt finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_sdk.protocol.entries import DELIVERED_KINDS, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMED_OPS = frozenset(("task", "record", "event", "child", "trigger", "send"))
"""Kinds of steps whose name must fit on replay; a sleep's name is only a description."""


class Journal:
    """The entries there were when the attempt began, ready for look-up.

    Attributes:
        deliveries: what the body will learn of, in order.
        recorded: recorded values by step.
        waits: ``wait_started`` by step.
        given_up: steps of the waits that were cancelled.
        failed_attempts: the last ``step_attempt_failed`` by step.
    """

    __slots__ = ("_first", "deliveries", "failed_attempts", "given_up", "recorded", "waits")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.deliveries: list[Entry] = []
        self.recorded: dict[str, Entry] = {}
        self.waits: dict[str, Entry] = {}
        self.given_up: set[str] = set()
        self.failed_attempts: dict[str, Entry] = {}
        self._first: dict[str, Entry] = {}
        for entry in entries:
            kind = entry.kind
            self._first.setdefault(entry.step, entry)
            if kind in DELIVERED_KINDS:
                self.deliveries.append(entry)
            elif kind in ("value_recorded", "record_failed"):
                self.recorded[entry.step] = entry
            elif kind == "wait_started":
                self.waits[entry.step] = entry
            elif kind == "step_attempt_failed":
                self.failed_attempts[entry.step] = entry
            elif kind == "wait_canceled":
                self.given_up.add(entry.step)

    def first(self, step: str) -> Entry | None:
        """Return the first entry about a step."""
        return self._first.get(step)

    def misfit(self, step: str, op: str, name: str) -> Entry | None:
        """Return the journalled entry of ``step`` when it is about something else than ``op`` and ``name``."""
        first = self._first.get(step)
        if first is None or (first.op == op and (first.name == name or op not in _NAMED_OPS)):
            return None
        return first
