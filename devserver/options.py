"""What a developer can choose when starting the dev server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trigger_sdk.protocol.limits import DEFAULT_PORT

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOptions:
    """Options of `trigger dev`.

    Attributes:
        project: a folder of the project, its root or any folder below.
        port: TCP port to listen on; 0 takes any that is free.
        host: loopback address to listen on: ``127.0.0.1`` and ``localhost`` mean both address families, ``::1`` one.
        reload: start new workers when a source file is saved.
        check: check the project after each reload, and show what is found.
        plain: no colour, whatever the terminal.
        python: interpreter for the workers, instead of the one that the project configures: a path or a command.
        stop_grace: seconds that steps in flight get when the dev server is stopped; what is cut off runs again at
            the next start.
    """

    project: Path = field(default_factory=Path.cwd)
    port: int = DEFAULT_PORT
    host: str = LOOPBACK
    reload: bool = True
    check: bool = True
    plain: bool = False
    python: str | None = None
    stop_grace: float = 5.0
