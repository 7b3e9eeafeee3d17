"""A project on disk, and its index."""

import asyncio
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bundler.indexing import Index, index_locally
from bundler.model import ProjectFile


@dataclass
class Indexed:
    """A project whose files are written and selected.

    Attributes:
        root: its folder.
        work: folder in which the process gets its own.
        left_out: places that do not go into the image.
    """

    root: Path
    work: Path
    left_out: set[str] = field(default_factory=set)

    def write(self, place: str, source: str = "") -> Path:
        """Write a file; the source may be indented."""
        file = self.root / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source))
        return file

    def job(self, source: str = "", name: str = "a") -> None:
        """Write a module that runs ``source`` on import and declares a job."""
        declares = f"from trigger_sdk import job\n@job(id={name!r})\nasync def {name}(payload: int): ...\n"
        self.write(f"jobs/{name}.py", textwrap.dedent(source) + declares)

    @property
    def files(self) -> list[ProjectFile]:
        """The files that are selected."""
        found = [(path.relative_to(self.root).as_posix(), path) for path in sorted(self.root.rglob("*"))]
        return [
            ProjectFile(place=place, source=path, size=path.stat().st_size)
            for place, path in found
            if path.is_file() and place not in self.left_out and "__pycache__" not in place
        ]

    async def begin(self, *, env: Mapping[str, str] | None = None, **options: Any) -> Index:
        """Index it on the running loop."""
        options.setdefault("interpreter", Path(sys.executable))
        options.setdefault("timeout", 30.0)
        return await index_locally(files=self.files, env=env or {}, folder=self.work, **options)

    def index(self, *, env: Mapping[str, str] | None = None, **options: Any) -> Index:
        """Index it."""
        return asyncio.run(self.begin(env=env, **options))


@pytest.fixture
def project(tmp_path: Path) -> Indexed:
    """Return a project without jobs."""
    indexed = Indexed(tmp_path / "project", tmp_path / "work")
    indexed.write("trigger.toml")
    return indexed
