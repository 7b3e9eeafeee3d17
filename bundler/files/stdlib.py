"""The standard library of a version of Python: which modules an image of that Python has without any distribution."""

from __future__ import annotations

import sys
from typing import Final

Version = tuple[int, int]

_ADDED: Final[dict[str, Version]] = {
    "annotationlib": (3, 14),
    "compression": (3, 14),
    "concurrent.interpreters": (3, 14),
    "pathlib.types": (3, 14),
    "string.templatelib": (3, 14),
}
"""Modules to the version that they came with, since 3.11."""

_REMOVED: Final[dict[str, Version]] = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), (3, 12)),
    **dict.fromkeys(
        (
            *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis"),
            *("nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
        ),
        (3, 13),
    ),
    "tkinter.tix": (3, 13),
}
"""Modules to the version that no longer has them, since 3.11."""

_SUCCESSORS: Final = {
    "asynchat": "pyasynchat",
    "asyncore": "pyasyncore",
    "audioop": "audioop-lts",
    "cgi": "legacy-cgi",
    "cgitb": "legacy-cgi",
    "crypt": "legacycrypt",
    "distutils": "setuptools",
    "smtpd": "aiosmtpd",
    **{
        name: f"standard-{name}"
        for name in (
            *("aifc", "chunk", "imghdr", "mailcap", "nntplib", "pipes", "sndhdr", "sunau", "telnetlib", "uu", "xdrlib"),
        )
    },
}
"""Distributions that have, or take the place of, what was removed."""

_ELSEWHERE: Final = {
    **dict.fromkeys(("_winapi", "msilib", "msvcrt", "nt", "winreg", "winsound"), "Windows"),
    "_scproxy": "macOS",
}
"""Modules that Linux does not have."""


def is_stdlib(name: str, python: Version) -> bool:
    """Tell whether a module, by its dotted name, is in the standard library of a version, on Linux."""
    top = name.partition(".")[0]
    if top not in sys.stdlib_module_names and top not in _ADDED and top not in _REMOVED:
        return False
    return not missing_because(name, python)


def missing_because(name: str, python: Version) -> str:
    """Return why a version on Linux lacks a module that other versions or systems have; empty when it does not."""
    for known in (name, name.partition(".")[0]):
        if known in _ELSEWHERE:
            return f"is in Python on {_ELSEWHERE[known]} only, and images run Linux"
        if known in _ADDED and python < _ADDED[known]:
            return f"came with Python {_shown(_ADDED[known])}, and the image has Python {_shown(python)}"
        if known in _REMOVED and python >= _REMOVED[known]:
            return f"was removed in Python {_shown(_REMOVED[known])}, and the image has Python {_shown(python)}"
    return ""


def successor(name: str) -> str:
    """Return the distribution that has a removed module; empty when none is known."""
    return _SUCCESSORS.get(name.partition(".")[0], "")


def _shown(version: Version) -> str:
    return ".".join(map(str, version))
