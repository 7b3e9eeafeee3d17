"""Where the credentials of a registry come from, in the order of Docker and of containers' tools.

With ``REGISTRY_AUTH_FILE`` only that file counts. Without it ``DOCKER_AUTH_CONFIG`` (a file's contents) comes first,
then ``config.json`` in ``DOCKER_CONFIG`` or ``~/.docker``, then ``containers/auth.json`` in ``XDG_RUNTIME_DIR`` and
``~/.config``. In each file: the helper of the host (``credHelpers``), the helper of all hosts (``credsStore``), what is
written in it (``auths``). A source that has nothing for the host is passed over; one that fails is an error, since the
next one would be somebody else's credentials, or none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bundler.registry.auth_files import HUB_SERVER, AuthFile, Credential, read_auth_file, read_auth_text
from bundler.registry.credential_program import Answer, ask
from bundler.registry.errors import CredentialsUnusable
from bundler.registry.reference import HUB_ALIASES

IDENTITY_TOKEN = "<token>"  # noqa: S105  # the user name by which a helper marks an identity token


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found for a registry.

    Attributes:
        credential: None when there is none, and it is asked anonymously.
        source: where it is from, for people: ``credHelpers['h'] in FILE``; where was looked when there is none.
    """

    credential: Credential | None
    source: str


class Credentials:
    """The credentials that are configured on this machine. Every host is looked up once, then remembered."""

    def __init__(self, *, environ: Mapping[str, str], home: Path, timeout: float = 60.0) -> None:
        """Take them from an environment and a home folder; ``timeout`` in seconds is for each helper."""
        self._environ = environ
        self._home = home
        self._timeout = timeout
        self._found: dict[tuple[str, str], Found] = {}
        self._lock = asyncio.Lock()
        self._files: tuple[AuthFile, ...] | None = None

    async def find(self, host: str, repository: str = "") -> Found:
        """Return the credentials of a host for a repository; CredentialsUnusable when a source fails."""
        async with self._lock:
            key = (host, repository)
            if key not in self._found:
                self._found[key] = await self._search(host, repository)
            return self._found[key]

    @property
    def sources(self) -> Mapping[str, str]:
        """Where the credentials of each host that was asked for are from, for people."""
        return {host: found.source for (host, _), found in sorted(self._found.items())}

    async def _search(self, host: str, repository: str) -> Found:
        if self._files is None:
            self._files = tuple(self._read())
        for file in self._files:
            if found := await self._in_file(file, host, repository):
                return found
        places = ", ".join(file.place for file in self._files) or "no configuration file found"
        return Found(credential=None, source=f"anonymous (nothing for it in: {places})")

    async def _in_file(self, file: AuthFile, host: str, repository: str) -> Found | None:
        """Look in one file: ``credHelpers``, ``credsStore``, ``auths``."""
        if named := file.helper_for(host, repository):
            key, helper = named
            source = f"credHelpers['{key}'] = '{helper}' in {file.place}"
            if answer := await self._ask(helper, host, source):
                return Found(credential=_of_answer(answer), source=source)
        if file.store:
            source = f"credsStore '{file.store}' in {file.place}"
            if answer := await self._ask(file.store, host, source):
                return Found(credential=_of_answer(answer), source=source)
        if entry := file.entry_for(host, repository):
            key, credential = entry
            return Found(credential=credential, source=f"auths['{key}'] in {file.place}")
        return None

    async def _ask(self, helper: str, host: str, where: str) -> Answer | None:
        server = HUB_SERVER if host in HUB_ALIASES else host
        return await ask(helper, server, environ=self._environ, timeout=self._timeout, where=where)

    def _read(self) -> Iterator[AuthFile]:
        if explicit := self._environ.get("REGISTRY_AUTH_FILE"):
            if not Path(explicit).exists():
                raise CredentialsUnusable(
                    f"REGISTRY_AUTH_FILE names {explicit}, which does not exist",
                    hint="Log in with `podman login --authfile`, or unset REGISTRY_AUTH_FILE.",
                    where=explicit,
                )
            yield read_auth_file(Path(explicit))
            return
        if text := self._environ.get("DOCKER_AUTH_CONFIG"):
            yield read_auth_text(text, "DOCKER_AUTH_CONFIG")
        folder = self._environ.get("DOCKER_CONFIG")
        candidates = [(Path(folder) if folder else self._home / ".docker") / "config.json"]
        if runtime := self._environ.get("XDG_RUNTIME_DIR"):
            candidates.append(Path(runtime) / "containers" / "auth.json")
        config = self._environ.get("XDG_CONFIG_HOME")
        candidates.append((Path(config) if config else self._home / ".config") / "containers" / "auth.json")
        yield from (read_auth_file(path) for path in candidates if path.exists())


def _of_answer(answer: Answer) -> Credential:
    if answer.username == IDENTITY_TOKEN:
        return Credential(identity_token=answer.secret)
    return Credential(username=answer.username, password=answer.secret)
