"""Running the programs that read and make locks: uv, poetry, pdm."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bundler.cache import Cache
from bundler.locks.errors import LockToolFailed, LockToolMissing

_LOGIN: Final = re.compile(r"(?<=://)[^\s/@]+@")
_QUIET: Final = {"NO_COLOR": "1", "POETRY_NO_INTERACTION": "1", "PDM_CHECK_UPDATE": "false", "UV_NO_PROGRESS": "1"}
_SHOWN: Final = 4000
_NO_SDK: Final = "trigger-sdk was not found"
_NO_SDK_HINT: Final = (
    "The index has no trigger-sdk. Of a checkout, name its sources in pyproject.toml: "
    '[tool.uv.sources] trigger-sdk = { path = "../trigger/sdk" }'
)
_KIND: Final = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The programs of this machine.

    Attributes:
        environ: their variables; ``PATH`` says where they are.
        beside: a folder to look in when ``PATH`` has none; that of this interpreter.
        timeout: seconds that one may take.
        cache: where answers are kept that depend on nothing but known bytes; None to ask each time.
    """

    environ: Mapping[str, str] = field(repr=False)
    beside: Path | None = field(default_factory=lambda: Path(sys.executable).parent)
    timeout: float = 600.0
    cache: Cache | None = None

    def run_once(
        self, arguments: Sequence[str], *, depends_on: Iterable[bytes], folder: Path, why: str, given: bytes = b""
    ) -> bytes:
        """Return what a program printed when it was asked the same before; else :meth:`run` it.

        Args:
            arguments: as :meth:`run`.
            depends_on: contents of the files that its answer depends on. Its configuration counts too.
            folder: as :meth:`run`.
            why: as :meth:`run`.
            given: as :meth:`run`.
        """
        if self.cache is None:
            return self.run(arguments, folder=folder, why=why, given=given)
        parts = [*(word.encode() for word in arguments), given, *depends_on, *self._configuration()]
        key = hashlib.sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).hexdigest()
        kept = self.cache.find(_KIND, key)
        if kept is not None:
            return kept.path.read_bytes()
        answer = self.run(arguments, folder=folder, why=why, given=given)
        self.cache.put(_KIND, key, answer)
        return answer

    def _configuration(self) -> Iterator[bytes]:
        """Yield what configures the programs beside the project: which index they ask."""
        for name in sorted(self.environ):
            if name.startswith(("UV_", "PIP_", "POETRY_", "PDM_")):
                yield f"{name}={self.environ[name]}".encode(errors="surrogateescape")
        home = self.environ.get("XDG_CONFIG_HOME") or f"{self.environ.get('HOME', '')}/.config"
        for path in (Path(home) / "uv" / "uv.toml", Path("/etc/uv/uv.toml")):
            with contextlib.suppress(OSError):
                yield path.read_bytes()

    def run(self, arguments: Sequence[str], *, folder: Path, why: str, given: bytes = b"") -> bytes:
        """Run a program and return what it prints.

        Args:
            arguments: its name, and what it is told.
            folder: where it runs.
            why: what it is needed for, for messages: ``to read poetry.lock``.
            given: what it reads.

        Raises:
            LockToolMissing: it is not there.
            LockToolFailed: it ended with an error, or not in time.
        """
        name = arguments[0]
        program = self._find(name)
        if program is None:
            raise LockToolMissing(
                f"'{name}' is needed {why}, and is not installed", detail=f"the command: {' '.join(arguments)}"
            )
        environ = {**self.environ, **_QUIET}
        try:
            done = subprocess.run(
                [program, *arguments[1:]], cwd=folder, env=environ, input=given, capture_output=True, check=False,
                timeout=self.timeout,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LockToolFailed(f"'{' '.join(arguments)}' did not end within {self.timeout:.0f} seconds") from None
        except OSError as error:
            raise LockToolFailed(f"'{name}' cannot be run: {error.strerror or error}", where=program) from None
        if done.returncode != 0:
            words = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise LockToolFailed(
                f"'{' '.join(arguments)}' ended with {done.returncode}",
                detail=_LOGIN.sub("***@", words)[-_SHOWN:],
                hint=_NO_SDK_HINT if _NO_SDK in words else "",
            )
        return done.stdout

    def _find(self, name: str) -> str | None:
        found = shutil.which(name, path=self.environ.get("PATH", ""))
        if found is None and self.beside is not None:
            found = shutil.which(name, path=str(self.beside))
        return found
