"""The Docker engine, by way of the docker SDK."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO, Final

from bundler.docker.attached import Outputs
from bundler.docker.endpoints import Endpoint
from bundler.docker.engine import Container, EngineVersion, Hear, Ran
from bundler.docker.errors import EngineFailed, EngineLost, EngineUnusable
from bundler.docker.interrupts import Interrupt, in_thread
from bundler.docker.transport import Transport, messages, pieces
from bundler.registry.auth_files import Credential

_LOADED: Final = ("Loaded image ID: ", "Loaded image: ")


class SdkEngine:
    """One engine; see :class:`bundler.docker.engine.Engine`.

    Args:
        endpoint: where it is.
        timeout: in seconds, for answers that take no work.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        self._transport = Transport(endpoint, timeout=timeout)

    async def ping(self) -> EngineVersion:
        """Return what the engine is."""
        facts = await self._ask(lambda client: client.version())
        found = EngineVersion(
            version=str(facts.get("Version", "")),
            api=_numbers(str(facts.get("ApiVersion", ""))),
            os=str(facts.get("Os", "")),
            architecture=str(facts.get("Arch", "")),
            address=self._transport.endpoint.address,
        )
        if found.os != "linux":
            raise EngineUnusable(f"the Docker engine at {found.address} runs containers of '{found.os}', not Linux")
        return found

    async def inspect(self, image: str) -> Mapping[str, Any] | None:
        """Return what the engine tells of an image, None when it has no such image."""

        def look(client: Any) -> Mapping[str, Any] | None:
            from docker.errors import NotFound  # noqa: PLC0415 - slow to import

            try:
                found: Mapping[str, Any] = client.inspect_image(image)
            except NotFound:
                return None
            return found

        facts: Mapping[str, Any] | None = await self._ask(look)
        return facts

    async def pull(self, image: str, *, credential: Credential | None = None, hear: Hear | None = None) -> None:
        """Fetch an image from a registry."""
        headers = {"X-Registry-Auth": _header(credential)} if credential is not None else {}
        await self._told("/images/create", hear, params={"fromImage": image}, headers=headers)

    async def build(
        self,
        context: Iterable[bytes],
        *,
        arguments: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        platform: str = "",
        hear: Hear | None = None,
    ) -> str:
        """Build an image and return its id."""
        # Containers of the steps are removed whether they end well or not; an end of the connection ends the build.
        params = {"rm": "1", "forcerm": "1", "buildargs": json.dumps(dict(arguments or {}))}
        if labels:
            params["labels"] = json.dumps(dict(sorted(labels.items())), ensure_ascii=False, separators=(",", ":"))
        if platform:
            params["platform"] = platform
        identity = ""

        def note(message: Mapping[str, Any]) -> None:
            nonlocal identity
            aux = message.get("aux")
            if isinstance(aux, dict) and isinstance(aux.get("ID"), str):
                identity = aux["ID"]

        headers = {"Content-Type": "application/x-tar"}
        await self._told("/build", hear, params=params, headers=headers, data=context, note=note)
        if not identity:
            raise EngineLost("the Docker engine ended the build without an image")
        return identity

    async def run(self, container: Container, *, timeout: float, most_output: int = 1 << 26) -> Ran:
        """Run a container to its end, and remove it."""
        name = f"trigger-{secrets.token_hex(8)}"
        outputs = Outputs(most_output)
        is_timed_out = False
        try:
            await self._ask(lambda client: _create(client, name, container))
            try:
                async with asyncio.timeout(timeout):
                    await in_thread(lambda interrupt: self._attached(interrupt, name, outputs))
            except TimeoutError:
                is_timed_out = True
                with contextlib.suppress(EngineFailed):  # it has ended just now
                    await self._ask(lambda client: client.kill(name))
            code = (await self._ask(lambda client: client.wait(name)))["StatusCode"]
            state = (await self._ask(lambda client: client.inspect_container(name)))["State"]
        finally:
            await asyncio.shield(self._ask(lambda client: _remove_container(client, name)))
        return Ran(
            exit_code=code, stdout=bytes(outputs.stdout), stderr=bytes(outputs.stderr), is_cut=outputs.is_cut,
            is_timed_out=is_timed_out, is_out_of_memory=bool(state.get("OOMKilled")),
        )  # fmt: skip

    async def save(self, image: str, output: BinaryIO) -> None:
        """Write an image as the archive of ``docker save``."""

        def copy(interrupt: Interrupt) -> None:
            with self._transport.answer(interrupt, "GET", f"/images/{image}/get") as response:
                for piece in pieces(response):
                    interrupt.check()
                    output.write(piece)

        await in_thread(copy)

    async def load(self, archive: Iterable[bytes], *, hear: Hear | None = None) -> tuple[str, ...]:
        """Take in an archive of ``docker save`` and return names and ids of what was in it."""
        loaded: list[str] = []

        def note(message: Mapping[str, Any]) -> None:
            line = str(message.get("stream", "")).strip()
            loaded.extend(line.removeprefix(start) for start in _LOADED if line.startswith(start))

        headers = {"Content-Type": "application/x-tar"}
        await self._told("/images/load", hear, params={"quiet": "0"}, headers=headers, data=archive, note=note)
        return tuple(loaded)

    async def tag(self, image: str, name: str) -> None:
        """Give an image a name."""
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = name, "latest"
        await self._ask(lambda client: client.tag(image, repository, tag, force=True))

    async def remove(self, image: str) -> None:
        """Remove a name of an image, or the image itself by its id."""

        def remove(client: Any) -> None:
            from docker.errors import NotFound  # noqa: PLC0415 - as above

            try:
                client.remove_image(image, force=True)
            except NotFound:
                return

        await self._ask(remove)

    async def close(self) -> None:
        """End all connections."""
        await asyncio.to_thread(self._transport.close)

    async def _ask(self, call: Callable[[Any], Any]) -> Any:
        return await in_thread(lambda _: self._transport.ask(call))

    async def _told(
        self,
        path: str,
        hear: Hear | None,
        *,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        data: Iterable[bytes] | None = None,
        note: Hear = lambda _: None,
    ) -> None:
        """Send a request whose answer tells how far it is; EngineFailed when it tells of an error."""
        loop = asyncio.get_running_loop()
        failures: list[str] = []

        def work(interrupt: Interrupt) -> None:
            with self._transport.answer(interrupt, "POST", path, params=params, headers=headers, data=data) as response:
                for message in messages(response):
                    note(message)
                    if "error" in message or "errorDetail" in message:
                        failures.append(_error_of(message))
                    if hear is not None:
                        loop.call_soon_threadsafe(hear, message)

        await in_thread(work)
        if failures:
            raise EngineFailed(f"the Docker engine says: {failures[0]}", detail="\n".join(failures[1:]))

    def _attached(self, interrupt: Interrupt, name: str, outputs: Outputs) -> None:
        """Start a container and take what it writes, to its end."""
        params = {"stream": "1", "stdout": "1", "stderr": "1"}
        with self._transport.answer(interrupt, "POST", f"/containers/{name}/attach", params=params) as response:
            self._transport.ask(lambda client: client.start(name))
            outputs.take(pieces(response))


def _create(client: Any, name: str, container: Container) -> None:
    limits: dict[str, Any] = {}
    if container.memory:
        limits |= {"mem_limit": container.memory, "memswap_limit": container.memory}
    if container.processes:
        limits |= {"pids_limit": container.processes}
    host = client.create_host_config(
        network_mode=None if container.has_network else "none",
        read_only=container.is_read_only,
        tmpfs=dict(container.tmpfs) or None,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        log_config={"Type": "none"},
        **limits,
    )
    client.create_container(
        container.image,
        command=list(container.command) or None,
        entrypoint=list(container.entrypoint) or None,
        environment=dict(container.env),
        user=container.user or None,
        working_dir=container.working_dir or None,
        host_config=host,
        network_disabled=False,
        name=name,
    )


def _remove_container(client: Any, name: str) -> None:
    from docker.errors import NotFound  # noqa: PLC0415 - as above

    try:
        client.remove_container(name, v=True, force=True)
    except NotFound:
        return


def _error_of(message: Mapping[str, Any]) -> str:
    detail = message.get("errorDetail")
    told = detail.get("message") if isinstance(detail, dict) else None
    return str(told or message.get("error", "")).strip()


def _header(credential: Credential) -> str:
    values = {
        "username": credential.username,
        "password": credential.password,
        "identitytoken": credential.identity_token,
        "registrytoken": credential.registry_token,
    }
    return base64.urlsafe_b64encode(
        json.dumps({key: value for key, value in values.items() if value}).encode()
    ).decode()


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)
