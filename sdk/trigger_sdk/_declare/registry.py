"""The jobs that imported modules have declared, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trigger_sdk._declare.job import Job

declared: list[Job[Any, Any]] = []
"""Filled by ``@job`` when a module is imported. Declaring is an import's effect, so this is one list a process."""
