"""The settings of `trigger server`: from flags, then the environment, then a file, then what is usual."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from executor.serving.errors import LauncherUnsupported, ServerSettingsInvalid

DEFAULT_PORT: Final = 8734
LAUNCHERS: Final = ("process",)
LATER: Final = ("docker", "swarm")

_PREFIX: Final = "TRIGGER_"
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What may differ from one server to the next.

    Attributes:
        data: the folder that the server keeps its things in; only one server uses it at a time.
        database: ``sqlite:///...`` or ``postgresql://...``; empty: SQLite in ``data``.
        host: address to listen at.
        port: TCP port; 0 is any that is free.
        launcher: how workers are started.
        rate_limit: requests a second that each key may send in the long run.
        rate_burst: requests that each key may send at once.
        drain_s: seconds that open requests get to end when the server is stopped.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
    """

    data: Path = Path("trigger-data")
    database: str = ""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    launcher: str = "process"
    rate_limit: float = 100.0
    rate_burst: int = 500
    drain_s: float = 10.0
    log_level: str = "info"


NAMES: Final = ("data", "database", "listen", "launcher", "rate_limit", "rate_burst", "drain", "log_level")
"""The settings by the names that files have for them; in the environment they are TRIGGER_DATA and so on."""


def read_options(flags: Mapping[str, object], environ: Mapping[str, str], config: Path | None = None) -> ServerOptions:
    """Return the settings.

    Args:
        flags: name to value, of those that were given.
        environ: the environment.
        config: a TOML file, or None; else TRIGGER_SERVER_CONFIG names one.

    Raises:
        ServerSettingsInvalid, LauncherUnsupported.
    """
    path = config or (Path(environ["TRIGGER_SERVER_CONFIG"]) if environ.get("TRIGGER_SERVER_CONFIG") else None)
    found: dict[str, tuple[object, str]] = {}
    if path is not None:
        found |= {name: (value, f"{name} in {path}") for name, value in _read_file(path).items()}
    for name in NAMES:
        variable = f"{_PREFIX}{name.upper()}"
        if environ.get(variable):
            found[name] = (environ[variable], variable)
    found |= {name: (value, f"--{name.replace('_', '-')}") for name, value in flags.items() if value is not None}
    fields: dict[str, Any] = {}
    for name, (value, origin) in found.items():
        fields |= _READERS[name](value, origin)
    return ServerOptions(**fields)


def _read_file(path: Path) -> dict[str, object]:
    try:
        data = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ServerSettingsInvalid(f"the file of settings cannot be read: {error}", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise ServerSettingsInvalid(f"the file of settings is not TOML: {error}", where=str(path)) from error
    for name in data:
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Use any of: {', '.join(NAMES)}."
            raise ServerSettingsInvalid(f"there is no setting '{name}'", hint=hint, where=str(path))
    return data


def _text(value: object, origin: str) -> str:
    if not isinstance(value, str | Path) or not str(value):
        raise ServerSettingsInvalid(f"{origin} is {value!r}, and a text is expected", where=origin)
    return str(value)


def _number(value: object, origin: str, least: float) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None or not least <= number < float("inf"):
        raise ServerSettingsInvalid(f"{origin} is {value!r}, and a number from {least:g} is expected", where=origin)
    return number


def _listen(value: object, origin: str) -> dict[str, Any]:
    text = _text(value, origin)
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > _LAST_PORT:
        raise ServerSettingsInvalid(
            f"{origin} is '{text}', which is no address",
            hint="Write HOST:PORT, such as 127.0.0.1:8734, 0.0.0.0:80 or [::]:8734.",
            where=origin,
        )
    return {"host": host.strip("[]") or "0.0.0.0", "port": int(port)}  # noqa: S104 - `:8734` says so


def _launcher(value: object, origin: str) -> dict[str, Any]:
    name = _text(value, origin)
    if name in LATER:
        raise LauncherUnsupported(f"the launcher '{name}' is not part of this release", where=origin)
    if name not in LAUNCHERS:
        raise LauncherUnsupported(f"there is no launcher '{name}'", where=origin)
    return {"launcher": name}


def _log_level(value: object, origin: str) -> dict[str, Any]:
    name = _text(value, origin).lower()
    if name not in ("debug", "info", "warning", "error"):
        raise ServerSettingsInvalid(f"{origin} is '{name}'", hint="Use debug, info, warning or error.", where=origin)
    return {"log_level": name}


_READERS: Final[dict[str, Callable[[object, str], dict[str, Any]]]] = {
    "data": lambda value, origin: {"data": Path(_text(value, origin))},
    "database": lambda value, origin: {"database": _text(value, origin)},
    "listen": _listen,
    "launcher": _launcher,
    "rate_limit": lambda value, origin: {"rate_limit": _number(value, origin, 0.1)},
    "rate_burst": lambda value, origin: {"rate_burst": int(_number(value, origin, 1))},
    "drain": lambda value, origin: {"drain_s": _number(value, origin, 0)},
    "log_level": _log_level,
}
