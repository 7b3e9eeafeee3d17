"""With which key the server is asked: TRIGGER_API_KEY, or a profile that TRIGGER_PROFILE names.

Profiles stand in ``~/.config/trigger/profiles.toml`` (``$XDG_CONFIG_HOME``), which only its owner may read::

    [work]
    url = "https://trigger.example.com"
    key = "tr_prod_..."
    environment = "prod"        # for a key of all environments

A profile is used only when it is named, so that a forgotten one never sends what was meant for `trigger dev` elsewhere,
and its key goes to its own address only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trigger_cli.errors import ProfileExposed, ProfileInvalid

KEY_VARIABLE = "TRIGGER_API_KEY"
ENVIRONMENT_VARIABLE = "TRIGGER_ENVIRONMENT"
PROFILE_VARIABLE = "TRIGGER_PROFILE"

_OTHERS = 0o077
_FIELDS = ("url", "key", "environment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a request shows.

    Attributes:
        key: an API key, or empty.
        environment: where a key of all environments is to work, or empty.
    """

    key: str = field(default="", repr=False)
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A server and the key for it."""

    name: str
    url: str
    credentials: Credentials


def find_profile(environ: Mapping[str, str], home: Path) -> Profile | None:
    """Return the profile that TRIGGER_PROFILE names, or None when it names none.

    Raises:
        ProfileInvalid: there is no such profile, or it cannot be read.
        ProfileExposed: others may read the file.
    """
    name = environ.get(PROFILE_VARIABLE)
    if not name:
        return None
    path = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "trigger" / "profiles.toml"
    section = _read(path).get(name)
    if not isinstance(section, dict):
        raise ProfileInvalid(f"there is no profile '{name}'", where=str(path))
    unknown = sorted(set(section) - set(_FIELDS))
    wrong = [key for key in _FIELDS if not isinstance(section.get(key, ""), str)]
    if unknown or wrong or not section.get("url"):
        told = f"has the unknown key '{unknown[0]}'" if unknown else f"has no text for '{(wrong or ['url'])[0]}'"
        raise ProfileInvalid(f"the profile '{name}' {told}", where=str(path))
    credentials = Credentials(key=section.get("key", ""), environment=section.get("environment", ""))
    return Profile(name=name, url=section["url"], credentials=credentials)


def find_credentials(environ: Mapping[str, str], profile: Profile | None) -> Credentials:
    """Return what is to be shown: of the environment, else of the profile whose server is asked."""
    known = Credentials() if profile is None else profile.credentials
    return Credentials(
        key=environ.get(KEY_VARIABLE) or known.key,
        environment=environ.get(ENVIRONMENT_VARIABLE) or known.environment,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode & 0o777
            if mode & _OTHERS:
                raise ProfileExposed(
                    f"others may read the keys in {path} ({mode:o})", hint=f"chmod 600 {path}", where=str(path)
                )
            return tomllib.load(file)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileInvalid(f"the profiles cannot be read: {error}", where=str(path)) from error
