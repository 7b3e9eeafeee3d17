"""In which state files and folders were when they were read: whether something has changed since."""

from __future__ import annotations

import os
import time
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from analyzer.cache import content_key
from analyzer.resolve.modules import read_file
from analyzer.results import FileState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.settings import CheckSettings
    from trigger_sdk.protocol.project import Project

_SETTLED_NS: Final = 100_000_000
"""Age of a change, in nanoseconds, from which on the next one surely has another time."""


class FileStates:
    """Tells the state of files; each is looked at once.

    Args:
        texts: unsaved text by resolved path, in the place of what is on disk.
    """

    def __init__(self, texts: Mapping[Path, str]) -> None:
        self.texts = texts
        self.seen: dict[str, FileState] = {}
        self._texts = {os.fspath(path): text for path, text in texts.items()}

    def changed(self, known: Mapping[str, FileState]) -> set[str]:
        """Return the files whose content is no longer what it was."""
        return {file for file, state in known.items() if self._now(file, state).key != state.key or not state.key}

    def of(self, file: str) -> FileState:
        """Return the state of a file."""
        found = self.seen.get(file)
        if found is None:
            found = self.seen[file] = self._read(file)
        return found

    def _now(self, file: str, known: FileState) -> FileState:
        if file not in self._texts and known.modified:
            try:
                status = Path(file).stat()
            except OSError:
                return self.of(file)
            if (status.st_mtime_ns, status.st_size) == (known.modified, known.size):
                return known
        return self.of(file)

    def _read(self, file: str) -> FileState:
        text = self._texts.get(file)
        if text is not None:
            return FileState(content_key(text.encode("utf-8", "surrogatepass")))
        try:
            status = Path(file).stat()
            content = read_file(Path(file))
        except OSError:
            return FileState("")
        is_settled = time.time_ns() - status.st_mtime_ns > _SETTLED_NS
        return FileState(content_key(content), status.st_mtime_ns if is_settled else 0, status.st_size)


def folder_digest(names: Iterable[str]) -> str:
    """Return a digest of the names in a folder that may be modules."""
    relevant = sorted(
        name
        for name in names
        if name.endswith(".py") or ("." not in name and name != "__pycache__") or name == "pyvenv.cfg"
    )
    return blake2b("\n".join(relevant).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def basis_of(project: Project, settings: CheckSettings, libraries: Sequence[Path]) -> str:
    """Return a digest of all that results depend on beside the project's files."""
    digest = blake2b(digest_size=16)
    for part in (
        content_key(b""),
        _own_source(),
        repr(sorted(map(str, project.import_roots))),
        repr(project.root),
        repr(project.dirs),
        msgspec.json.encode(settings, enc_hook=str, order="deterministic").decode(),
        *(f"{folder}:{_modified(folder)}" for folder in libraries),
    ):
        digest.update(part.encode("utf-8", "surrogateescape"))
        digest.update(b"\0")
    return digest.hexdigest()


@cache
def _own_source() -> str:
    """Return a digest of the check itself: another version may find something else."""
    folder = Path(__file__).parent
    states = []
    for below, _, names in os.walk(folder):
        for name in sorted(names):
            if name.endswith((".py", ".toml")):
                status = os.stat(os.path.join(below, name))  # noqa: PTH116, PTH118 - hundreds of files at each start
                states.append(f"{name}:{status.st_mtime_ns}:{status.st_size}")
    return "\n".join(sorted(states))


def _modified(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
