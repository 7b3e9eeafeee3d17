"""Environment markers of a target that is not this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

from bundler.locks.errors import LockInvalid
from bundler.model import Target

MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
"""Architecture of OCI to the name that Linux has for it."""

_LATEST_PATCH: Final = 99
_EXTRA: Final = re.compile(r"""extra\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)")""")
_TRUE, _FALSE = "os_name == 'posix'", "os_name != 'posix'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What markers are asked about.

    Attributes:
        target: the image's Python and platform. Its patch release is not known before the base image is; it counts as
            a late one, since images are.
        extras: of the project that are wanted.
        groups: of the project that are wanted.
        conflicting: how uv writes chosen extras and groups that exclude each other: ``extra-3-app-cpu``.
    """

    target: Target
    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    conflicting: frozenset[str] = frozenset()

    def fulfils(self, marker: str, where: str) -> bool:
        """Tell whether a marker is true.

        Raises:
            LockInvalid: it is no marker.
        """
        if not marker:
            return True
        named = self.extras | self.conflicting
        plain = _EXTRA.sub(lambda found: _TRUE if _holds(found, named) else _FALSE, marker)
        try:
            return Marker(plain).evaluate(self._values(), context="lock_file")
        except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, RecursionError) as error:
            raise LockInvalid(f"'{marker[:200]}' is no marker: {error}", where=where) from None

    def _values(self) -> dict[str, str | frozenset[str]]:
        major, minor = self.target.python
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{major}.{minor}.{_LATEST_PATCH}",
            "os_name": "posix",
            "platform_machine": MACHINES[self.target.platform.architecture],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{major}.{minor}.{_LATEST_PATCH}",
            "python_version": f"{major}.{minor}",
            "sys_platform": "linux",
            "extras": self.extras,
            "dependency_groups": self.groups,
        }


def _holds(found: re.Match[str], named: frozenset[str]) -> bool:
    return ((found[2] or found[3] or "") in named) == (found[1] == "==")
