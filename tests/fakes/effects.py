"""The service that counts effects (effects_program.py), as a test starts it and reads what happened."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).with_name("effects_program.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One request to the service.

    Attributes:
        run: id of the run.
        what: what was done.
        key: what came with it.
        began: when the task began that did it, in seconds since the epoch.
        at: when it was done.
        happened: False when it was made to fail.
        pid: the worker process.
    """

    run: str
    what: str
    key: str
    began: float
    at: float
    happened: bool
    pid: int


class Effects:
    """The service in a process of its own.

    Attributes:
        url: where it takes requests.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "effects.jsonl"
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM), str(self._file)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def all(self) -> list[Effect]:
        """Return every effect, in order."""
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        fields = Effect.__dataclass_fields__
        return [Effect(**{name: value for name, value in json.loads(line).items() if name in fields}) for line in lines]

    def by_run(self) -> dict[str, dict[str, list[Effect]]]:
        """Return the effects of each run, by what was done."""
        found: dict[str, dict[str, list[Effect]]] = defaultdict(lambda: defaultdict(list))
        for one in self.all():
            found[one.run][one.what].append(one)
        return found

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
