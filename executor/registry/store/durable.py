"""Files that are there whole or not at all, also after the power was cut.

A file is written elsewhere on the same disk, brought to the disk, moved to its place, and then the folder that has its
name is brought to the disk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: OSError) -> bool:
    """Tell whether an error says that there is no room."""
    return error.errno in _FULL


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Bring a file's bytes to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def move(source: Path, target: Path) -> None:
    """Move a file whose bytes are on the disk to its place, durably; what is there is replaced."""
    make_folder(target.parent)
    source.replace(target)
    sync_folder(target.parent)


def write(target: Path, content: bytes, *, by_way_of: Path) -> None:
    """Write a small file, durably, all or nothing.

    Args:
        target: its place; what is there is replaced.
        content: its bytes.
        by_way_of: a folder on the same disk, where it is until it is whole.
    """
    passing = by_way_of / secrets.token_hex(8)
    try:
        with passing.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        move(passing, target)
    except BaseException:
        passing.unlink(missing_ok=True)
        raise


def remove(paths: Iterable[Path]) -> None:
    """Remove files, durably; those that are not there are passed over."""
    folders = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            folders.add(path.parent)
    for folder in folders:
        sync_folder(folder)
