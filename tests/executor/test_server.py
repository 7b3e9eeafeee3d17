"""Serving: ports, address families, and a stop that nothing holds up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from executor.errors import AddressUnavailable, PortInUse
from executor.server import serve
from executor.sockets import bind
from tests.executor.conftest import MakeHouse
from tests.fakes.house import TOKEN, problem_of
from tests.fakes.worker_double import WorkerDouble


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request, as an ASGI application."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """Stream for ever."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
        await asyncio.sleep(0.01)


def reachable(host: str, port: int) -> bool:
    """Tell whether something listens."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


async def test_free_port_is_taken_and_told() -> None:
    """Port 0; the address is loopback."""
    async with serve(hello) as serving, httpx.AsyncClient() as client:
        assert serving.url == f"http://127.0.0.1:{serving.port}"
        assert (await client.get(serving.url)).text == "hi"
    assert not reachable("127.0.0.1", serving.port)


async def test_only_loopback_is_listened_at() -> None:
    """Not every address of the machine."""
    async with serve(hello) as serving:
        assert not reachable("127.0.0.2", serving.port)


async def test_both_families_answer_on_one_port() -> None:
    """`localhost` works however it resolves."""
    async with serve(hello, ipv6=True) as serving, httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{serving.port}")).text == "hi"
        if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):  # noqa: ASYNC240, PTH110 - a look at the kernel
            assert (await client.get(f"http://[::1]:{serving.port}")).text == "hi"


async def test_given_sockets_are_served() -> None:
    """Bound by the caller before anything slow happened."""
    sockets = bind("127.0.0.1", 0)
    async with serve(hello, sockets=sockets) as serving, httpx.AsyncClient() as client:
        assert serving.port == int((await client.get(serving.url)).url.port or 0)


async def test_small_writes_do_not_wait_for_acknowledgements() -> None:
    """Also on a connection that was made before the server ran: no message takes the 40 ms of a delayed ACK."""

    async def in_pieces(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        for piece in range(10):
            await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b"x", "more_body": piece < 9})

    plain = socket.socket()
    plain.bind(("127.0.0.1", 0))
    plain.listen()
    plain.setblocking(False)
    reader, writer = await asyncio.open_connection(*plain.getsockname())
    async with serve(in_pieces, sockets=[plain]):
        began = time.monotonic()
        for _ in range(50):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(10)
        assert time.monotonic() - began < 1
        writer.close()


async def test_port_in_use_names_the_other_process() -> None:
    """Its number and command line, and what to do."""
    code = (
        "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
        "print(s.getsockname()[1], flush=True); time.sleep(60)"
    )
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    try:
        assert other.stdout is not None
        port = int(await other.stdout.readline())
        with pytest.raises(PortInUse) as refused:
            async with serve(hello, port=port):
                pass
    finally:
        other.kill()
        await other.communicate()
    problem = refused.value.problem
    assert problem.code == "port-in-use"
    assert f"port {port} is in use by process {other.pid}" in problem.message
    assert "--port" in problem.hint


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("203.0.113.1", 0), ("127.0.0.1", -1)])
async def test_address_that_cannot_be_used_is_a_problem(host: str, port: int) -> None:
    """Not this machine's, or no port."""
    with pytest.raises(AddressUnavailable):
        async with serve(hello, host=host, port=port):
            pass


async def test_restart_on_the_same_port_works_at_once() -> None:
    """Connections of the first server that linger do not block the second."""
    async with serve(hello) as serving, httpx.AsyncClient() as client:
        await client.get(serving.url)
        port = serving.port
    async with serve(hello, port=port) as serving, httpx.AsyncClient() as client:
        assert (await client.get(serving.url)).text == "hi"


async def test_endless_stream_does_not_hold_up_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    """Nor a client that reads nothing; and nothing is logged about it."""
    began = 0.0
    async with serve(endless, grace_s=0.2) as serving:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()
        began = time.monotonic()
    assert time.monotonic() - began < 2
    writer.close()


async def test_idle_connections_do_not_hold_up_the_stop() -> None:
    """A client that keeps its connection, and one that never said anything."""
    async with serve(hello, grace_s=5) as serving:
        client = httpx.AsyncClient()
        await client.get(serving.url)
        _, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    writer.close()
    await client.aclose()


async def test_request_in_progress_ends_before_the_stop() -> None:
    """Within the grace it is answered."""
    entered = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await asyncio.sleep(0.3)
        await hello(scope, receive, send)

    async with serve(slow, grace_s=5) as serving:
        client = httpx.AsyncClient()
        asking = asyncio.create_task(client.get(serving.url))
        await entered.wait()
    assert (await asking).text == "hi"
    await client.aclose()


async def test_waits_and_workers_do_not_hold_up_the_stop(
    make_house: MakeHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """Who waits for a run is told that the server stops; workers see 1012 and come back; nothing is logged as a bug."""
    async with httpx.AsyncClient(timeout=20) as client, contextlib.AsyncExitStack() as later:
        async with make_house() as house:
            worker = await later.enter_async_context(WorkerDouble(house.url, TOKEN))
            await worker.join()
            run_id = await house.start()
            waiting = asyncio.create_task(client.get(f"{house.url}/api/v1/runs/{run_id}?wait=60"))
            await asyncio.sleep(0.1)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        answer = await waiting
        assert answer.status_code == 503
        assert problem_of(answer)["code"] == "server-stopping"
        assert (await worker.closed())[0] == 1012
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_signals_stay_the_callers() -> None:
    """uvicorn takes SIGINT for itself otherwise."""
    before = signal.getsignal(signal.SIGINT)
    async with serve(hello):
        assert signal.getsignal(signal.SIGINT) is before
