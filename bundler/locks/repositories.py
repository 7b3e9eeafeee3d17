"""Repositories that a lock names: they are handed to git, which must not take any part of them for an option."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from bundler.locks.errors import LockInvalid
from bundler.locks.model import Git

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ADDRESS: Final = re.compile(r"(?P<scheme>https?|ssh|git|file)://(?:[^/@]*@)?(?P<rest>[^-@\s][^\s]*)")


def git_source(url: str, commit: str, subdirectory: str, where: str) -> Git:
    """Return a repository; the login in its address is left out, but for ssh, where it is a name.

    Raises:
        LockInvalid: the address is of a kind that could run a program, the commit is none, or the folder is elsewhere.
    """
    found = _ADDRESS.fullmatch(url)
    if found is None and not url.startswith("/"):
        raise LockInvalid("an address of a repository that is none of https, ssh, git or file", where=where)
    if not _COMMIT.fullmatch(commit.lower()):
        raise LockInvalid("a repository without the commit that is locked", where=where)
    place = PurePosixPath(subdirectory)
    if place.is_absolute() or ".." in place.parts:
        raise LockInvalid(f"'{subdirectory}' is no folder in the repository", where=where)
    if found is not None and found["scheme"] != "ssh":
        url = f"{found['scheme']}://{found['rest']}"
    return Git(url=url, commit=commit.lower(), subdirectory=subdirectory)
