"""The programs of a wheel: launchers of its entry points, and first lines that name the image's interpreter."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from typing import Final

from bundler.errors import WheelInvalid, WheelUnsafe
from bundler.layers.archive import fault_of_name

_GROUPS: Final = ("console_scripts", "gui_scripts")
_OBJECT: Final = re.compile(r"(?P<module>[\w.]+)\s*:\s*(?P<attribute>[\w.]+)\s*(\[[^\]]*\])?")
_PLACEHOLDER: Final = re.compile(rb"#!pythonw?(?=[ \t\r\n]|$)[^\r\n]*\r?\n?")
_LONGEST_FIRST_LINE: Final = 127

_LAUNCHER: Final = """\
import sys
from {module} import {name}
if __name__ == "__main__":
    sys.argv[0] = sys.argv[0].removesuffix(".exe")
    sys.exit({attribute}())
"""


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A program that calls a function: the program's name, the function's module, and its name there."""

    name: str
    module: str
    attribute: str


class _CaseSensitive(configparser.RawConfigParser):
    """Keeps names as they are written."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def entry_points(text: str, where: str) -> list[EntryPoint]:
    """Return the programs that ``entry_points.txt`` asks for, in order of their names.

    Raises:
        WheelInvalid: the file cannot be read.
        WheelUnsafe: a program's name is a path.
    """
    parser = _CaseSensitive(strict=False, delimiters=("=",), comment_prefixes=("#", ";"), interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise WheelInvalid(f"entry_points.txt of {where} cannot be read", detail=str(error)) from error
    found: dict[str, EntryPoint] = {}
    for group in _GROUPS:
        for name, target in parser.items(group) if parser.has_section(group) else ():
            match = _OBJECT.fullmatch(target.strip())
            if match is None or not all(part.isidentifier() for part in f"{match[1]}.{match[2]}".split(".")):
                raise WheelInvalid(f"the entry point {name} = {target!r} of {where} names no function")
            if "/" in name or fault_of_name(name):
                raise WheelUnsafe(f"the entry point {name!r} of {where} is no name of a program")
            found[name] = EntryPoint(name, match["module"], match["attribute"])
    return [found[name] for name in sorted(found)]


def launcher(point: EntryPoint, interpreter: str) -> bytes:
    """Return the program of an entry point."""
    body = _LAUNCHER.format(module=point.module, name=point.attribute.partition(".")[0], attribute=point.attribute)
    return first_line(interpreter) + body.encode()


def first_line(interpreter: str) -> bytes:
    """Return the line that has the system run a script with an interpreter; three where the path does not fit one."""
    if " " not in interpreter and len(interpreter) + 3 <= _LONGEST_FIRST_LINE:
        return f"#!{interpreter}\n".encode()
    # To sh, a command; to Python, a string that nobody uses.
    return f"#!/bin/sh\n'''exec' \"{interpreter}\" \"$0\" \"$@\"\n' '''\n".encode()


def is_placeholder(head: bytes) -> bool:
    """Tell whether a script begins with ``#!python``, which the installer replaces."""
    return _PLACEHOLDER.match(head) is not None


def with_interpreter(script: bytes, interpreter: str) -> bytes:
    """Return a script with the image's interpreter in place of ``#!python``; its arguments are kept."""
    match = _PLACEHOLDER.match(script)
    if match is None:
        return script
    arguments = match[0].strip().partition(b" ")[2].strip()
    line = first_line(interpreter)
    if arguments and line.startswith(f"#!{interpreter}".encode()):
        line = line.rstrip(b"\n") + b" " + arguments + b"\n"
    return line + script[match.end() :]
