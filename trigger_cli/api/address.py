"""Where the server is: --url, TRIGGER_API_URL, a profile, the project's `.trigger/dev.json`, the default port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from trigger_cli.api.credentials import Profile
from trigger_cli.errors import UsageProblem
from trigger_sdk.protocol.dev_info import find_dev_server
from trigger_sdk.protocol.limits import DEFAULT_PORT

VARIABLE = "TRIGGER_API_URL"
"""The environment variable that names the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server should be.

    Attributes:
        secure: https instead of http.
        host: name or address.
        port: TCP port.
        prefix: path before ``/api/v1``, without a slash at its end; usually empty.
        origin: what said so, as a sentence's end: ``given by --url``.
    """

    secure: bool
    host: str
    port: int
    prefix: str
    origin: str

    @property
    def url(self) -> str:
        """The address as a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{self.prefix}"


def find_server(url: str | None, environ: Mapping[str, str], folder: Path, profile: Profile | None = None) -> Address:
    """Return where the server should be.

    Args:
        url: the value of --url, or None.
        environ: the environment.
        folder: the working folder; the running dev server's file is looked for in it and above it, where
            ``job.trigger()`` looks too.
        profile: the profile that the user named, or None.

    Raises:
        UsageProblem: an address that is none.
    """
    if url:
        return parse_url(url, "given by --url")
    if environ.get(VARIABLE):
        return parse_url(environ[VARIABLE], f"given by {VARIABLE}")
    if profile is not None:
        return parse_url(profile.url, f"given by the profile '{profile.name}'")
    found = find_dev_server(folder)
    if found is not None:
        running, file = found
        return parse_url(running, f"given by {file}")
    return parse_url(f"http://127.0.0.1:{DEFAULT_PORT}", "the default")


def parse_url(url: str, origin: str) -> Address:
    """Read a URL such as ``http://127.0.0.1:8734``. Raises UsageProblem when it is none."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError as error:
        raise _not_an_address(url, origin, str(error)) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _not_an_address(url, origin, "")
    secure = parts.scheme == "https"
    return Address(
        secure=secure,
        host=parts.hostname,
        port=port if port is not None else (443 if secure else 80),
        prefix=parts.path.rstrip("/"),
        origin=origin,
    )


def _not_an_address(url: str, origin: str, detail: str) -> UsageProblem:
    return UsageProblem(
        f"{url!r} is not the address of a server ({origin})",
        detail=detail,
        hint="an address looks like http://127.0.0.1:8734",
    )
