"""Names of images: ``host[:port]/name[:tag][@digest]``, with the short forms of Docker Hub."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from bundler.registry.errors import ReferenceInvalid

HUB = "docker.io"
HUB_ENDPOINT = "registry-1.docker.io"
HUB_ALIASES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
"""Hosts by which Docker Hub is named, in references and in configurations."""

MAX_NAME = 255
"""Characters of host and repository together."""

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")
_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*)://")
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image, or a repository, in a registry.

    Attributes:
        host: of the registry, with a port where one is written; ``docker.io`` for Docker Hub.
        repository: ``library/python``, ``team/app``.
        tag: empty when none is written.
        digest: of the manifest; empty when none is written.
    """

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a reference; ReferenceInvalid says which part of it breaks which rule."""
        if scheme := _SCHEME.match(text):
            hint = f"Leave out '{scheme[0]}': the registry is asked over HTTPS anyway."
            raise ReferenceInvalid(f"'{text}' is an address, not the name of an image", hint=hint)
        rest, at, digest = text.partition("@")
        if at and not _DIGEST.fullmatch(digest):
            raise ReferenceInvalid(
                f"'{digest}' in '{text}' is no digest: sha256 and 64 small hexadecimal digits are expected"
            )
        host, path = _split_host(rest)
        repository, colon, tag = path.partition(":")
        if colon and not _TAG.fullmatch(tag):
            raise ReferenceInvalid(
                f"'{tag}' in '{text}' is no tag: up to 128 letters, digits, '_', '.' and '-', the first none of '.-'"
            )
        if host == HUB and repository and "/" not in repository:
            repository = f"library/{repository}"
        _check(text, host, repository)
        return cls(host=host, repository=repository, tag=tag, digest=digest)

    @property
    def endpoint(self) -> str:
        """The host, with its port, that is asked."""
        return HUB_ENDPOINT if self.host == HUB else self.host

    @property
    def target(self) -> str:
        """By what the manifest is asked for: the digest, else the tag, else ``latest``."""
        return self.digest or self.tag or "latest"

    @property
    def name(self) -> str:
        """Host and repository, without tag and digest."""
        return f"{self.host}/{self.repository}"

    def with_tag(self, tag: str) -> Reference:
        """Return the reference of a tag in the same repository; ReferenceInvalid for what is none."""
        if not _TAG.fullmatch(tag):
            raise ReferenceInvalid(f"'{tag}' is no tag", hint="Use up to 128 letters, digits, '_', '.' and '-'.")
        return replace(self, tag=tag, digest="")

    def with_digest(self, digest: str) -> Reference:
        """Return the reference of a manifest in the same repository; ReferenceInvalid for what is no digest."""
        if not _DIGEST.fullmatch(digest):
            raise ReferenceInvalid(f"'{digest}' is no digest")
        return replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def is_digest(text: str) -> bool:
    """Tell whether a text is a digest of an algorithm that is known here."""
    return _DIGEST.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Tell whether a host, with or without a port, is this machine by its name alone."""
    name = host if host.count(":") > 1 and not host.startswith("[") else re.sub(r":\d+$", "", host)
    name = name.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _split_host(rest: str) -> tuple[str, str]:
    """Return host and path: the first part is a host when it could not be part of a repository on Docker Hub."""
    first, slash, path = rest.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    if not is_host:
        return HUB, rest
    return (HUB if first.lower() in HUB_ALIASES else first), path


def _check(text: str, host: str, repository: str) -> None:
    match = _HOST.fullmatch(host)
    if match is None or int(match["port"] or 1) not in range(1, _MAX_PORT + 1):
        raise ReferenceInvalid(f"'{host}' in '{text}' is no host")
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1 : host.index("]")])
        except ValueError:
            raise ReferenceInvalid(f"'{host}' in '{text}' is no IPv6 address") from None
    if not _REPOSITORY.fullmatch(repository):
        lower = repository.lower()
        hint = f"Names of repositories are written small: '{lower}'." if _REPOSITORY.fullmatch(lower) else ""
        what = f"'{repository}' in '{text}' is no repository" if repository else f"'{text}' names no repository"
        raise ReferenceInvalid(
            f"{what}: small letters, digits, and single '.', '_', '-' or '/' between them", hint=hint
        )
    if len(host) + 1 + len(repository) > MAX_NAME:
        raise ReferenceInvalid(f"'{text[:60]}...' has more than {MAX_NAME} characters before its tag")
