"""Carrying out a plan: everything is written aside first, then moved into place; on any failure nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from trigger_cli.errors import InitConflict, InitFailed
from trigger_cli.scaffold.plan import MARKER, Plan


def carry_out(plan: Plan) -> None:
    """Write what is planned.

    A new folder appears by one rename. In a folder that exists, each file is put in its place by a hard link, which
    never replaces anything, while a marker tells a later `init` what was going on should this one be killed.

    Raises:
        InitConflict: a file appeared since the plan was made.
        InitFailed: the disk or the permissions do not allow it.
    """
    try:
        if plan.target.is_dir():
            _into_folder(plan)
        else:
            _as_new_folder(plan)
    except FileExistsError as error:
        raise InitConflict(f"{error.filename2 or error.filename} appeared meanwhile; nothing was written") from error
    except OSError as error:
        place = error.filename2 or error.filename or plan.target
        raise InitFailed(
            f"Cannot write {place}: {error.strerror or error}; nothing was written",
            hint="check the permissions and the space on the disk",
        ) from error


def _as_new_folder(plan: Plan) -> None:
    parent = plan.target.parent
    made = _make_folders(parent)
    try:
        stage = Path(tempfile.mkdtemp(prefix=f".{plan.target.name}.", dir=parent))
    except OSError:
        _remove_folders(made)
        raise
    try:
        _stage(plan, stage)
        stage.chmod(0o777 & ~_umask())
        # Renaming onto a folder that appeared meanwhile fails, unless that is empty.
        stage.rename(plan.target)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        _remove_folders(made)
        raise


def _into_folder(plan: Plan) -> None:
    marker = plan.target / MARKER
    made = _make_folders(marker.parent)
    placed: list[Path] = []
    changed: dict[Path, bytes] = {}
    try:
        stage = Path(tempfile.mkdtemp(prefix="init-", dir=marker.parent))
        try:
            _stage(plan, stage)
            marker.write_text(
                json.dumps({"template": plan.template.name, "files": [str(file) for file in plan.create]})
            )
            for file in plan.create:
                made += _make_folders((plan.target / file).parent)
                _place(stage / file, plan.target / file)
                placed.append(plan.target / file)
            for file, content in plan.change.items():
                changed[plan.target / file] = (plan.target / file).read_bytes()
                _replace(plan.target / file, content, stage)
        except BaseException:
            _undo(placed, changed, stage)
            raise
        finally:
            shutil.rmtree(stage, ignore_errors=True)
            marker.unlink(missing_ok=True)
    except BaseException:
        _remove_folders(made)
        raise
    with contextlib.suppress(OSError):
        marker.parent.rmdir()


def _stage(plan: Plan, stage: Path) -> None:
    for file, content in plan.create.items():
        path = stage / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(plan.mode(file) & ~_umask())


def _place(source: Path, target: Path) -> None:
    """Move a file without ever replacing one. Raises FileExistsError."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here (some network and FAT file systems): create it exclusively instead.
        with target.open("xb") as file:
            file.write(source.read_bytes())
        target.chmod(source.stat().st_mode & 0o777)


def _replace(path: Path, content: bytes, stage: Path) -> None:
    """Write a file that exists anew in one step, with the permissions it has; through a link to what it points to."""
    real = Path(os.path.realpath(path))
    mode = real.stat().st_mode & 0o7777
    draft = stage / "change"
    draft.write_bytes(content)
    draft.chmod(mode)
    try:
        draft.replace(real)
    except OSError:
        # Another file system behind a link.
        real.write_bytes(content)


def _undo(placed: list[Path], changed: dict[Path, bytes], stage: Path) -> None:
    for path in placed:
        path.unlink(missing_ok=True)
    for path, content in changed.items():
        if path.read_bytes() != content:
            _replace(path, content, stage)


def _make_folders(folder: Path) -> list[Path]:
    """Create a folder and those above it; returns the new ones, outermost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    missing.reverse()
    made: list[Path] = []
    try:
        for path in missing:
            path.mkdir()
            made.append(path)
    except OSError:
        _remove_folders(made)
        raise
    return missing


def _remove_folders(folders: list[Path]) -> None:
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
