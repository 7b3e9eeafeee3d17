"""Editors and projects for the tests of the language server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.checked_project import CheckedProject
from tests.fakes.editor import Editor
from tests.fakes.editor_protocol import capabilities

StartEditor = Callable[..., Awaitable[Editor]]


@pytest.fixture
async def start_editor() -> AsyncIterator[StartEditor]:
    """Return what starts an editor with a server of its own; ended with the test."""
    started: list[Editor] = []

    async def start(*, can: Any = None, **options: Any) -> Editor:
        editor = Editor()
        started.append(editor)
        return await editor.start(capabilities=can or capabilities(), **options)

    yield start
    for editor in started:
        await editor.abandon()


@pytest.fixture
async def editor(start_editor: StartEditor) -> Editor:
    """Return an editor that can do what the common ones can."""
    return await start_editor()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for projects, links resolved."""
    return tmp_path.resolve()


@pytest.fixture
def project(folder: Path) -> CheckedProject:
    """Return a project with the folder ``jobs``, once something is written to it."""
    return CheckedProject(root=folder / "shop")


@pytest.fixture
def read() -> Callable[[str], str]:
    """Return what reads a file: by its path, or its URI."""
    return lambda place: Path(place.removeprefix("file://")).read_text()
