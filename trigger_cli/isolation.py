"""Keeps the user's folders off this process's import path.

Our packages are called `engine`, `analyzer`, `executor`...; a project may well have a folder or a module of that name.
The console script does not put the working folder on the path, but PYTHONPATH does (`PYTHONPATH=.` is common).
Children still inherit PYTHONPATH: a worker needs what the user put there.
"""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path


def own_import_path(path: Sequence[str], environ: Mapping[str, str] | None = None) -> list[str]:
    """Return `path` without the entries of PYTHONPATH and without the working folder.

    An entry stays when our own packages are imported from it: a checkout on PYTHONPATH, or run from its own folder.

    Args:
        path: the interpreter's `sys.path`.
        environ: the environment; the process's by default.
    """
    environ = os.environ if environ is None else environ
    users = {_real(entry) for entry in environ.get("PYTHONPATH", "").split(os.pathsep)}
    users -= _own_folders()
    return [entry for entry in path if _real(entry) not in users]


def _real(entry: str) -> str:
    try:
        return os.path.realpath(entry or os.curdir)
    except OSError:  # the working folder has been removed
        return entry


def _own_folders() -> set[str]:
    """Return the folders that hold `trigger_cli` and `trigger_sdk`."""
    folders = set()
    for name in ("trigger_cli", "trigger_sdk"):
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            # Two levels up: the origin is the package's __init__.py.
            folders.add(str(Path(spec.origin).resolve().parent.parent))
    return folders
