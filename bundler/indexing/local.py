"""Indexing with the project's interpreter, where no engine can run the image.

The process sees what the image will have, as far as that can be had here: a fresh folder with the selected files, the
image's variables and a minimum of its own, no network where the kernel lets it go without. It is no prison for code
that wants to get out: that code is the user's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bundler.errors import CacheUnusable, FileChanged
from bundler.indexing.answer import Setting, read_answer
from bundler.indexing.errors import IndexUnavailable
from bundler.indexing.isolated import run_isolated
from trigger_sdk.protocol.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.indexing.model import Index
    from bundler.model import ProjectFile

SECONDS: Final = 60.0
"""How long the imports of a project may take."""

_OF_THE_MACHINE: Final = ("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables that say what this machine is, not what the project is: libraries need them to run here at all."""

_IN_USE_SECONDS: Final = 3600.0
"""A fresh folder that is older is nobody's any more."""

_INSTRUMENTED: Final = ".opt-trigger"
"""In the names of the SDK's own bytecode, which is held against its source wherever it lies."""


async def index_locally(
    interpreter: Path,
    files: Iterable[ProjectFile],
    *,
    env: Mapping[str, str],
    folder: Path,
    timeout: float = SECONDS,
    sdk: str = VERSION,
    python: tuple[int, int] | None = None,
) -> Index:
    """Import the project's jobs with its own interpreter, and return what they are.

    Args:
        interpreter: of the project; links stay as they are.
        files: what goes into the image.
        env: variables of the image.
        folder: in which a fresh folder is made, and removed; where it cannot be written to, that is made where
            temporary files are.
        timeout: seconds that the imports may take.
        sdk: version of the SDK in the image.
        python: version of the image's Python; None for any.

    Raises:
        IndexFailed: jobs cannot be imported; all that is wrong is in ``problems``.
        IndexTimedOut: that took too long.
        IndexCrashed: the process was ended.
        IndexUnavailable: the interpreter cannot do it, or is not like the image's.
        FileChanged: a file went away meanwhile.
        CacheUnusable: neither can be written to.
    """
    chosen = list(files)
    fresh = _fresh_folder(folder)
    try:
        root = fresh / "project"
        await asyncio.to_thread(_lay_out, chosen, root)
        setting = Setting(
            interpreter=str(interpreter),
            root=str(root),
            seconds=timeout,
            shown=_shown_as_ours(root, chosen),
            install=f"Install it there: {interpreter} -m pip install trigger-sdk=={sdk}",
        )
        command = [str(interpreter), "-P", "-m", "trigger_sdk.indexing"]
        try:
            ending = await run_isolated(
                command, env=_environment(fresh, root, env, timeout), folder=root, seconds=timeout
            )
        except OSError as error:
            message = f"{interpreter} cannot be executed: {error.strerror}"
            hint = "Set python in the project's configuration to a Python interpreter."
            raise IndexUnavailable(message, hint=hint, where=str(interpreter)) from error
        index = await asyncio.to_thread(read_answer, ending, setting)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    _check_likeness(index, interpreter, sdk, python)
    return index


def _fresh_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_left(folder)
        # Without links on the way: modules and their tracebacks name real paths.
        return Path(tempfile.mkdtemp(prefix="index-", dir=folder.resolve()))
    except OSError as error:
        # The project may be somebody else's, or mounted without the right to write.
        try:
            return Path(tempfile.mkdtemp(prefix="trigger-index-")).resolve()
        except OSError:
            raise CacheUnusable(f"{folder} cannot be written to: {error.strerror}", where=str(folder)) from error


def _remove_left(folder: Path) -> None:
    """Remove what builds have left that were killed."""
    before = time.time() - _IN_USE_SECONDS
    for path in folder.glob("index-*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                shutil.rmtree(path, ignore_errors=True)


def _environment(fresh: Path, root: Path, env: Mapping[str, str], seconds: float) -> dict[str, str]:
    for name in ("home", "tmp"):
        (fresh / name).mkdir()
    machine = {name: os.environ[name] for name in _OF_THE_MACHINE if name in os.environ}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": str(fresh / "home"),
        "TMPDIR": str(fresh / "tmp"),
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        **machine,
        **env,
        "PYTHONHASHSEED": "0",  # defaults that are sets come in one order
        "TRIGGER_PROJECT_ROOT": str(root),
        "TRIGGER_INDEX_SECONDS": str(seconds),
        "TRIGGER_INDEX_ISOLATED": "1",
    }


def _lay_out(files: Sequence[ProjectFile], root: Path) -> None:
    """Copy the files: a module that writes beside itself must not reach the user's. Beside them their bytecode."""
    root.mkdir()
    caches: dict[Path, dict[str, list[str]]] = {}
    made: set[Path] = {root}
    for file in files:
        target = root / file.place
        if not target.is_relative_to(root) or ".." in target.parts:
            raise ValueError(file.place)  # whoever lists the files makes sure of it
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        try:
            _copy(file.source, target)
        except OSError as error:
            message = f"{file.source.name} cannot be read: {error.strerror}"
            raise FileChanged(message, where=str(file.source)) from error
        if file.is_executable:
            target.chmod(0o755)
        if target.suffix == ".py":
            _copy_bytecode(file.source, target, caches)


def _copy_bytecode(source: Path, target: Path, caches: dict[Path, dict[str, list[str]]]) -> None:
    folder = source.parent / "__pycache__"
    if folder not in caches:
        caches[folder] = {}
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                if _INSTRUMENTED in entry.name:
                    caches[folder].setdefault(entry.name.partition(".")[0], []).append(entry.name)
    for name in caches[folder].get(source.stem, ()):
        (target.parent / "__pycache__").mkdir(exist_ok=True)
        with contextlib.suppress(OSError):
            _copy(folder / name, target.parent / "__pycache__" / name)


def _copy(source: Path, target: Path) -> None:
    """Copy a file within the kernel; file systems that can share the blocks."""
    with source.open("rb") as reading, target.open("wb") as writing:
        if hasattr(os, "copy_file_range"):
            copied = 0
            with contextlib.suppress(OSError):
                while some := os.copy_file_range(reading.fileno(), writing.fileno(), 1 << 30):
                    copied += some
            if copied == os.fstat(reading.fileno()).st_size:
                return
            reading.seek(0)
            writing.truncate(0)
            writing.seek(0)
        shutil.copyfileobj(reading, writing)


def _shown_as_ours(root: Path, files: Sequence[ProjectFile]) -> _Shown:
    for file in files:
        source = file.source.as_posix()
        if source.endswith(f"/{file.place}"):
            return _Shown(str(root), source.removesuffix(f"/{file.place}"))
    return _Shown(f"{root}/", "")


class _Shown:
    """Puts the user's own folder in the place of the fresh one."""

    def __init__(self, fresh: str, own: str) -> None:
        self._fresh = fresh
        self._own = own

    def __call__(self, text: str) -> str:
        """Return a text with the user's paths."""
        return text.replace(self._fresh, self._own)


def _check_likeness(index: Index, interpreter: Path, sdk: str, python: tuple[int, int] | None) -> None:
    """Refuse an index that another SDK or another Python made than those of the image."""
    if index.sdk != sdk:
        raise IndexUnavailable(
            f"{interpreter} has trigger-sdk {index.sdk}, and the image has {sdk}",
            hint=f"Install the same there: {interpreter} -m pip install trigger-sdk=={sdk}",
            where=str(interpreter),
        )
    if python is not None and index.python != f"{python[0]}.{python[1]}":
        raise IndexUnavailable(
            f"{interpreter} is Python {index.python}, and the image has {python[0]}.{python[1]}",
            hint="Set python in the project's configuration to one of the image's version, or choose another base.",
            where=str(interpreter),
        )
