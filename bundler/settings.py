"""How a project has its image configured: ``[tool.trigger.bundle]`` in pyproject.toml, ``[bundle]`` in trigger.toml."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from bundler.errors import BundleSettingsInvalid
from bundler.files.patterns import PatternInvalid, Patterns
from bundler.model import Platform
from bundler.registry.errors import ReferenceInvalid
from bundler.registry.reference import Reference
from trigger_sdk.protocol.project_tables import WrongValue, meant, read_values, tool_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from trigger_sdk.protocol.project import Project

PRESETS: Final = ("ffmpeg", "libpq", "playwright")
"""Names of sets of system packages."""

DEFAULT_USER: Final = 10_001
DEFAULT_LAYERS: Final = 10
MOST_LAYERS: Final = 100
"""Engines stack 127 layers at most, and the base image has some."""

_LONGEST_INTERPRETER: Final = 120
"""Characters; Linux reads 127 of a program's first line."""

_EMPTY: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSettings:
    """What goes into the image of a project, and how it is made.

    Attributes:
        base: image to build upon, as ``host/name:tag`` or ``oci:DIR`` or ``tar:FILE`` or ``docker:NAME``; empty for the
            slim image of the project's Python.
        python: absolute path of the interpreter in the base; empty to find it.
        platforms: what the image is for; empty for the architecture of this machine.
        include: data files that go in beside the Python files.
        exclude: files that do not.
        env: environment variables of the image, by name.
        user: number of the user that jobs run as, never 0.
        group: number of that user's group.
        apt: system packages, by Debian's names.
        run: commands run while the image is built.
        presets: sets of system packages, some of :data:`PRESETS`.
        repository: where the image is pushed to, ``host/name`` without a tag; empty when it must be given.
        tags: names of the image in the repository.
        layers: layers that dependencies may take.
        bytecode: compile Python files ahead of time.
        groups: dependency groups that go in.
        extras: extras of the project that go in.
        lock: the lock file, relative to the root; empty to look for one.
    """

    base: str = ""
    python: str = ""
    platforms: tuple[Platform, ...] = ()
    include: Patterns = field(default_factory=Patterns)
    exclude: Patterns = field(default_factory=Patterns)
    env: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    user: int = DEFAULT_USER
    group: int = DEFAULT_USER
    apt: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    repository: str = ""
    tags: tuple[str, ...] = ()
    layers: int = DEFAULT_LAYERS
    bytecode: bool = False
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    lock: str = ""


def read_settings(project: Project) -> BundleSettings:
    """Return the settings in the project's configuration file; without a table, the defaults.

    Raises:
        BundleSettingsInvalid: an unknown key, or a value that does not fit.
    """
    file = project.config_file
    return (
        BundleSettings() if file is None else settings_from(tool_table(project, "bundle", BundleSettingsInvalid), file)
    )


def settings_from(table: object, file: Path) -> BundleSettings:
    """Check a ``bundle`` table.

    Raises:
        BundleSettingsInvalid: naming the first key that is wrong.
    """
    values = read_values(table, file, "bundle", _KEYS, BundleSettingsInvalid, _meant)
    if "user" in values:
        values["user"], values["group"] = values["user"]
    return BundleSettings(**values)


def with_options(settings: BundleSettings, options: Mapping[str, object]) -> BundleSettings:
    """Return settings in which options of the command line go before what the configuration says.

    Args:
        settings: what the configuration says.
        options: values by their keys, each such as the configuration could have it.

    Raises:
        BundleSettingsInvalid: naming the first option that is wrong.
    """
    values = {}
    for key, value in options.items():
        try:
            values[key] = _KEYS[key](value)
        except WrongValue as error:
            raise BundleSettingsInvalid(f"the option for `{key}` is wrong: {error}", hint=error.hint) from error
    return replace(settings, **values)


def _meant(word: str, known: Iterable[str]) -> str:
    """Return a hint with the word that was perhaps meant, or with all there are."""
    usual = {"dependency-groups": "groups", "platform": "platforms", "environment": "env", "packages": "apt"}
    lowered = word.replace("_", "-").lower()
    return meant(usual.get(lowered, lowered), known)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongValue(f"expected text, and found {_shown(value)}", "Put the text in quotes.")
    if not value.isprintable():
        raise WrongValue("it has a line end or another character that cannot be seen", "Write it on one line.")
    return value.strip()


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise WrongValue(f"expected a list, and found {value!r}", f'Write it as a list: ["{value}"].')
    if not isinstance(value, list):
        raise WrongValue(f"expected a list, and found {_shown(value)}", 'Write the entries in brackets: ["a", "b"].')
    return tuple(dict.fromkeys(_text(entry) for entry in value))


def _matching(pattern: str, what: str, hint: str) -> Callable[[object], tuple[str, ...]]:
    """Return what reads a list of texts that all match an expression."""
    expression = re.compile(pattern)

    def read(value: object) -> tuple[str, ...]:
        texts = _texts(value)
        for text in texts:
            if expression.fullmatch(text) is None:
                raise WrongValue(f"{text!r} is no {what}", hint)
        return texts

    return read


def _patterns(value: object) -> Patterns:
    try:
        # A list has no comments: a name may begin with "#" there.
        return Patterns.of(_texts(value))
    except PatternInvalid as error:
        raise WrongValue(
            str(error), "Patterns are those of .dockerignore: *, ?, **, [a-c], and ! to take back."
        ) from error


def _platforms(value: object) -> tuple[Platform, ...]:
    return tuple(dict.fromkeys(_platform(text) for text in _texts(value)))


def _platform(text: str) -> Platform:
    found = _PLATFORMS.get(text)
    if found is None:
        usual = _USUAL_PLATFORMS.get(text.lower())
        hint = f"Did you mean {usual}?" if usual else "There are linux/amd64 and linux/arm64."
        raise WrongValue(f"{text!r} is no platform that images are built for", hint)
    return found


_PLATFORMS: Final = {
    "linux/amd64": Platform(architecture="amd64"),
    "linux/arm64": Platform(architecture="arm64"),
    "linux/arm64/v8": Platform(architecture="arm64"),  # arm64 is v8 wherever nothing else is said
}

_USUAL_PLATFORMS: Final = {
    f"{system}{architecture}": f"linux/{meant}"
    for system in ("", "linux/")
    for architecture, meant in (("amd64", "amd64"), ("x86_64", "amd64"), ("arm64", "arm64"), ("aarch64", "arm64"))
}
"""What other tools call them."""


def _env(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise WrongValue("expected a table", 'Write it as a table: { TZ = "UTC" }.')
    for name, content in value.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise WrongValue(f"{name!r} is no name of an environment variable", "Use letters, digits and underscores.")
        if not isinstance(content, str) or "\0" in content:
            raise WrongValue(
                f"{name} must be text, and is {_shown(content)}", f'Put it in quotes: {name} = "{content}".'
            )
    return MappingProxyType(dict(sorted(value.items())))


def _user(value: object) -> tuple[int, int]:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    hint = "Write a number such as 10001, or a user's and a group's: \"10001:10001\"."
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,10}(:[0-9]{1,10})?", text):
        raise WrongValue(f"expected the number of a user, and found {_shown(value)}", hint)
    user, _, group = text.partition(":")
    if int(user) == 0:
        raise WrongValue("jobs do not run as root", "Install system packages with apt or run, and leave the user out.")
    if max(int(user), int(group or user)) >= 2**31:
        raise WrongValue(f"{text} is no number that Linux gives to a user", hint)
    return int(user), int(group or user)


def _presets(value: object) -> tuple[str, ...]:
    for name in (names := _texts(value)):
        if name not in PRESETS:
            raise WrongValue(f"there is no preset {name!r}", _meant(name, PRESETS))
    return names


def _repository(value: object) -> str:
    text = _text(value)
    try:
        Reference.parse(text)
    except ReferenceInvalid as error:
        raise WrongValue(error.message, error.problem.hint) from error
    if "@" in text or ":" in text.rpartition("/")[2]:
        raise WrongValue(f"{text!r} has a tag or a digest", "Leave it out here, and set tags.")
    return text


def _layers(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_LAYERS:
        raise WrongValue(
            f"expected a number from 1 to {MOST_LAYERS}, and found {_shown(value)}", "Write it without quotes: 10."
        )
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValue(f"expected true or false, and found {_shown(value)}", "Write true or false, without quotes.")
    return value


def _lock(value: object) -> str:
    text = _text(value)
    path = PurePosixPath(text)
    if path.is_absolute():
        raise WrongValue(f"{text!r} is an absolute path", "Write it relative to the project's root.")
    return text


def _interpreter(value: object) -> str:
    text = _text(value)
    if not text.startswith("/") or text != posixpath.normpath(text) or text.strip("/") != text[1:] or text == "/":
        raise WrongValue(
            f"{text!r} is no absolute path of a program", 'Write where it is in the base: "/usr/bin/python3.11".'
        )
    if re.search(r"[\s:=,\"'\\]", text) or len(text) > _LONGEST_INTERPRETER:
        raise WrongValue(f"{text!r} cannot stand in the first line of a program", "Choose a shorter, plainer path.")
    return text


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return repr(value)
    if isinstance(value, list):
        return "a list"
    return "a table" if isinstance(value, dict) else type(value).__name__


_NAME: Final = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"

_KEYS: Final[Mapping[str, Callable[[object], Any]]] = {
    "base": _text,
    "python": _interpreter,
    "platforms": _platforms,
    "include": _patterns,
    "exclude": _patterns,
    "env": _env,
    "user": _user,
    "apt": _matching(
        r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+:~-]+)?", "name of a Debian package", "Such as libpq5."
    ),
    "run": _texts,
    "presets": _presets,
    "repository": _repository,
    "tags": _matching(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", "tag", "Use letters, digits, '_', '.' and '-'."),
    "layers": _layers,
    "bytecode": _switch,
    "groups": _matching(_NAME, "name of a group", "Groups are named in [dependency-groups] of pyproject.toml."),
    "extras": _matching(_NAME, "name of an extra", "They are in [project.optional-dependencies] of pyproject.toml."),
    "lock": _lock,
}
"""Every key, and what reads its value."""
