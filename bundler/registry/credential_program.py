"""Credential helpers: programs ``docker-credential-NAME`` that are asked for the credentials of a host."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

from bundler.registry.errors import CredentialsUnusable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND = ("credentials not found in native keychain", "no credentials server url", "credentials not found")
_MAX_WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a helper gives.

    Attributes:
        username: ``<token>`` when the secret is an identity token.
        secret: a password, or an identity token.
    """

    username: str
    secret: str = field(repr=False)


async def ask(helper: str, server: str, *, environ: Mapping[str, str], timeout: float, where: str) -> Answer | None:
    """Ask a helper for the credentials of a server; None when it has none.

    Args:
        helper: ``ecr-login`` for the program ``docker-credential-ecr-login``.
        server: as the helper knows it: a host, or Docker Hub's address.
        environ: of the helper; its ``PATH`` is where the helper is looked for.
        timeout: in seconds; a helper that waits for somebody to type is ended.
        where: the place in the configuration that names it, for the error.
    """
    program = f"docker-credential-{helper}"
    if not _NAME.fullmatch(helper):
        raise CredentialsUnusable(f"'{helper}' is no name of a credential helper", where=where)
    path = shutil.which(program, path=environ.get("PATH", os.defpath))
    if path is None:
        raise CredentialsUnusable(
            f"credentials for {server} are with the helper '{program}', which is not on PATH",
            hint=f"Install '{program}', or remove it from the configuration and log in again.",
            where=where,
        )
    try:
        code, out, err = await _run(path, server, environ, timeout)
    except TimeoutError:
        raise CredentialsUnusable(
            f"the credential helper '{program}' gave no answer for {server} within {timeout:g} s",
            hint=f"Run `echo {server} | {program} get` to see what it waits for.",
            where=where,
        ) from None
    except OSError as error:
        raise CredentialsUnusable(f"the credential helper '{program}' cannot be run: {error}", where=where) from None
    if code != 0:
        if any(words in out.lower() + err.lower() for words in _NOT_FOUND):
            return None
        raise CredentialsUnusable(
            f"the credential helper '{program}' failed for {server} (exit code {code})",
            detail=_words(out, err),
            hint=f"Run `echo {server} | {program} get` to see why.",
            where=where,
        )
    return _answer(out, program, server, where)


async def _run(path: str, server: str, environ: Mapping[str, str], timeout: float) -> tuple[int, str, str]:
    """Run it in a process group of its own, so that what it started ends with it."""
    process = await asyncio.create_subprocess_exec(
        path,
        "get",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environ),
        start_new_session=True,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(server.encode()), timeout)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
    return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


def _words(out: str, err: str) -> str:
    """Return why a helper failed. What looks like an answer may hold a secret, and is left out."""
    said = [text.strip() for text in (err, out) if text.strip() and "secret" not in text.lower()]
    return "\n".join(said)[:_MAX_WORDS]


def _answer(out: str, program: str, server: str, where: str) -> Answer | None:
    try:
        fields = json.loads(out)
        username, secret = fields.get("Username", ""), fields["Secret"]
    except (ValueError, KeyError, TypeError, AttributeError):
        username, secret = None, None
    if not isinstance(username, str) or not isinstance(secret, str):
        # Neither the output nor the exception is shown: they may hold the secret.
        raise CredentialsUnusable(
            f"the credential helper '{program}' gave for {server} something else than a user name and a secret",
            where=where,
        )
    return Answer(username=username, secret=secret) if username or secret else None
