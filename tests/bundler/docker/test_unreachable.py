"""Engines that cannot be asked: none, forbidden, too old, of another kind, and ones that talk nonsense."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from bundler.docker.engine import find_engine
from bundler.docker.errors import EngineFailed, EngineForbidden, EngineLost, EngineMissing, EngineUnusable
from bundler.errors import BundlerError

VERSION = {"Version": "99", "ApiVersion": "1.41", "Os": "linux", "Arch": "amd64"}


@asynccontextmanager
async def engine_that_answers(path: Path, answer: Callable[[str], bytes]) -> AsyncIterator[dict[str, str]]:
    """Yield the environment that leads to a server which answers each request line with bytes, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode():
            while (await reader.readline()).strip():
                pass
            writer.write(answer(line))
            await writer.drain()
            break
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    async with server:
        yield {"DOCKER_HOST": f"unix://{path}"}


def http(body: object, status: str = "200 OK") -> bytes:
    """Return an answer in HTTP."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
        status.encode(),
        len(content),
        content,
    )


def always(body: bytes, _: str) -> bytes:
    """Answer every request alike."""
    return body


async def problem(environ: dict[str, str], home: Path) -> BundlerError:
    """Return what goes wrong when an engine is asked what it is."""
    engine = find_engine(environ=environ, home=home, timeout=2)
    with pytest.raises(BundlerError) as caught:
        await engine.ping()
    await engine.close()
    return caught.value


async def test_no_engine(tmp_path: Path) -> None:
    """No socket, one that nobody listens at, and a port that is closed: no engine, and where it was looked for."""
    (tmp_path / "file").write_text("")
    for address in (f"unix://{tmp_path}/none.sock", f"unix://{tmp_path}/file", "tcp://127.0.0.1:1"):
        error = await problem({"DOCKER_HOST": address}, tmp_path)
        assert isinstance(error, EngineMissing), error.problem
        assert address in error.message
        assert "DOCKER_HOST" in error.message


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
async def test_engine_that_is_forbidden(tmp_path: Path) -> None:
    """A socket that this user may not open: the group that may is the hint."""
    import docker  # noqa: F401 - while it may still be read

    await asyncio.to_thread(int)
    async with engine_that_answers(tmp_path / "s", lambda _: http(VERSION)) as environ:
        (tmp_path / "s").chmod(0o600)
        os.seteuid(65534)
        try:
            error = await problem(environ, tmp_path)
        finally:
            os.seteuid(0)
    assert isinstance(error, EngineForbidden), error.problem
    assert "group" in error.problem.hint


async def test_engine_that_is_too_old(tmp_path: Path) -> None:
    """An engine of before 19.03 is not used; nor is one of before anything that the SDK speaks."""
    for api in ("1.39", "1.12", "nonsense"):
        body = http({**VERSION, "ApiVersion": api})
        async with engine_that_answers(tmp_path / api, partial(always, body)) as environ:
            error = await problem(environ, tmp_path)
            assert isinstance(error, EngineUnusable), (api, error.problem)
            assert "19.03" in error.problem.hint


async def test_engine_of_windows(tmp_path: Path) -> None:
    """An engine that runs Windows' containers is of no use."""
    async with engine_that_answers(tmp_path / "s", lambda _: http({**VERSION, "Os": "windows"})) as environ:
        error = await problem(environ, tmp_path)
    assert isinstance(error, EngineUnusable)
    assert "windows" in error.message


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH\r\n", http(b"<html>"), http([]), http({}), http({"a": 1}, "500 No")]
)
async def test_what_is_no_engine(tmp_path: Path, answer: bytes) -> None:
    """What does not answer as an engine does is a problem, whatever it says."""
    async with engine_that_answers(tmp_path / "s", lambda _: answer) as environ:
        error = await problem(environ, tmp_path)
    assert isinstance(error, EngineMissing | EngineUnusable | EngineLost | EngineFailed), error.problem
    assert str(tmp_path) in error.message


async def test_build_whose_answer_ends_early(tmp_path: Path) -> None:
    """An answer that ends in the middle, or without an image, is no image."""
    step = b'{"stream":"Step 1/1 : FROM scratch"}\r\n'
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(step), step)
    for body in (cut, cut + b"0\r\n\r\n", cut[:-9]):

        def answer(line: str, body: bytes = body) -> bytes:
            return http(VERSION) if "/version" in line else body

        async with engine_that_answers(tmp_path / "s", answer) as environ:
            engine = find_engine(environ=environ, home=tmp_path, timeout=2)
            with pytest.raises(EngineLost):
                await engine.build(iter([b"x"]))
            await engine.close()


async def test_engine_that_never_answers(tmp_path: Path) -> None:
    """An engine that takes a connection and says nothing is given up."""
    release = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    async with server:
        engine = find_engine(environ={"DOCKER_HOST": f"unix://{tmp_path}/s"}, home=tmp_path, timeout=1)
        with pytest.raises(EngineLost, match="within 1 s"):
            await engine.ping()
        release.set()
        await engine.close()
