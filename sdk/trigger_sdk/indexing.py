"""Makes the index of a project: ``python -P -m trigger_sdk.indexing`` imports its jobs as a worker does, and tells.

For builders of images, in the image or with the project's interpreter. Environment:

* ``TRIGGER_PROJECT_ROOT``: the project; the working folder when it is not set;
* ``TRIGGER_INDEX_FD``: descriptor that takes the answer; without it stdout does, and what modules print goes to stderr;
* ``TRIGGER_INDEX_SECONDS``: after that time the process writes the stack of every thread in the answer's place, and
  ends;
* ``TRIGGER_INDEX_ISOLATED``: when it is ``1``, the process cuts itself off from the network where the kernel lets it,
  and ends with its parent.

The answer is lines of JSON: ``{"importing": "jobs.a"}`` before each job module; then the index in its canonical form
(exit code 0), or ``{"problems": [...]}`` (exit code 3). What a crash or the end of the time makes the interpreter write
stands in the last line's place.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from trigger_sdk._runtime.loading import Loaded
    from trigger_sdk.protocol.manifest import JobManifest
    from trigger_sdk.protocol.messages import LogLine
    from trigger_sdk.protocol.problem import Problem

EXIT_FAILED: Final = 3
MOST_OUTPUT: Final = 1 << 20
"""Bytes of what modules print that are passed on."""

_UNREACHABLE: Final = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.EADDRNOTAVAIL))
_CLONE_NEWNET: Final = 0x4000_0000
_CLONE_NEWUSER: Final = 0x1000_0000


def main() -> int:
    """Write the answer; returns the exit code."""
    answer = _descriptor()
    faulthandler.enable(answer)
    seconds = float(os.environ.pop("TRIGGER_INDEX_SECONDS", "0"))
    if seconds > 0:
        faulthandler.dump_traceback_later(seconds, exit=True, file=answer)
    if os.environ.pop("TRIGGER_INDEX_ISOLATED", "") == "1":
        _isolate()
    root = Path(os.environ.get("TRIGGER_PROJECT_ROOT") or Path.cwd())
    try:
        from trigger_sdk._runtime.loading import load

        loaded = load(root, _passing_on(), importing=lambda name: _tell(answer, {"importing": name}), hint=_hint(root))
        problems, content = loaded.problems, b""
        if not problems:
            content, problems = _index(loaded)
    except BaseException as error:  # noqa: BLE001 - whatever a module raises, the builder must hear of it
        problems, content = [_unexpected(error)], b""
    faulthandler.cancel_dump_traceback_later()
    if problems:
        _tell(answer, {"problems": [problem.to_dict() for problem in problems]})
        return EXIT_FAILED
    _write(answer, content + b"\n")
    return 0


def _index(loaded: Loaded) -> tuple[bytes, list[Problem]]:
    """Return the index's canonical form, or why it has none."""
    from trigger_sdk.protocol.index import INDEX_FORMAT, ProjectIndex, encode_index
    from trigger_sdk.protocol.problem import Problem
    from trigger_sdk.protocol.version import VERSION

    jobs = tuple(sorted(loaded.manifests, key=lambda job: job.id))
    queues = {job.queue.name: job.queue for job in jobs}
    index = ProjectIndex(
        format=INDEX_FORMAT,
        sdk=VERSION,
        python=f"{sys.version_info[0]}.{sys.version_info[1]}",
        jobs=jobs,
        queues=tuple(queues[name] for name in sorted(queues)),
    )
    try:
        return encode_index(index), []
    except ValueError:
        hint = "JSON has no word for NaN and infinity: give the payload another default."
        return b"", [
            Problem(
                code="job-invalid",
                message=f"the payload of job {job.id!r} cannot be described in JSON",
                hint=hint,
                where=f"{job.file}:{job.line}",
            )
            for job in jobs
            if not _is_json(job)
        ]


def _is_json(job: JobManifest) -> bool:
    try:
        json.dumps(job.payload_schema, allow_nan=False)
    except ValueError:
        return False
    return True


def _descriptor() -> int:
    """Return where the answer goes; nothing that modules print can get there."""
    given = os.environ.pop("TRIGGER_INDEX_FD", "")
    if given:
        answer = int(given)
        os.set_inheritable(answer, False)
    else:
        answer = os.dup(1)
    os.dup2(2, 1)
    return answer


def _tell(answer: int, line: dict[str, object]) -> None:
    _write(answer, json.dumps(line).encode() + b"\n")


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _passing_on() -> Callable[[LogLine], None]:
    """Return what writes the lines of modules to stderr, until there are too many."""
    left = MOST_OUTPUT

    def emit(line: LogLine) -> None:
        nonlocal left
        if left <= 0:
            return
        content = line.text.encode() + b"\n"
        left -= len(content)
        with contextlib.suppress(OSError):
            _write(2, content)

    return emit


def _hint(root: Path) -> Callable[[BaseException], str]:
    """Return what tells what to do about an exception that may come from being in an image, or nearly so."""
    from trigger_sdk._runtime.import_faults import causes, missing_variables

    def hint(error: BaseException) -> str:
        if variables := missing_variables(error):
            return (
                f'Read it in a task or in `prepare`, or with a default: os.environ.get("{variables[0]}", ""). What is'
                f' no secret can be set for the image: [tool.trigger.bundle] env = {{ {variables[0]} = "..." }}.'
            )
        for each in causes(error):
            if isinstance(each, FileNotFoundError) and isinstance(each.filename, str):
                path = Path(os.path.normpath(Path.cwd() / each.filename))
                if path.is_relative_to(root.resolve()):
                    place = path.relative_to(root.resolve()).as_posix()
                    return f'An image has Python files and what [tool.trigger.bundle] names: include = ["{place}"].'
            if isinstance(each, OSError) and (each.errno in _UNREACHABLE or type(each).__name__ == "gaierror"):
                return "Jobs are imported without a network: connect in a task, or in the job's `prepare`."
            if isinstance(each, OSError) and each.errno in (errno.EROFS, errno.EACCES):
                return "In an image only temporary folders can be written to, and by a task rather than an import."
        return ""

    return hint


def _unexpected(error: BaseException) -> Problem:
    from trigger_sdk._runtime.tracebacks import format_cleaned
    from trigger_sdk.protocol.problem import Problem, TriggerError

    if isinstance(error, TriggerError):
        return error.problem
    message = f"the project cannot be indexed: {type(error).__name__}: {error}"
    return Problem(code="index-broken", message=message, detail=format_cleaned(error))


def _isolate() -> None:
    """Leave the network, and ask the kernel to be ended with the parent; where it refuses, nothing is different."""
    if sys.platform != "linux":
        return
    import ctypes
    import signal

    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None)
    if libc.unshare(_CLONE_NEWNET) != 0 and libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        # Of a namespace of one's own one is nobody until one says who.
        for name, content in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with contextlib.suppress(OSError):
                Path(f"/proc/self/{name}").write_text(content)
    pr_set_pdeathsig = 1
    libc.prctl(pr_set_pdeathsig, signal.SIGKILL)  # last: a change of user takes it back


if __name__ == "__main__":
    # Threads that a module started may run on, and what it registered for the end is no part of an import.
    os._exit(main())
