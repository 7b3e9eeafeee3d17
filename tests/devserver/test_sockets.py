"""Listening: both address families, and problems that say who is in the way."""

import os
import socket

import pytest

from devserver.errors import HostNotLocal
from devserver.sockets import listen
from executor.errors import AddressUnavailable, PortInUse
from executor.sockets import url_of


def test_port_in_use_names_who_listens() -> None:
    """The problem names the port, the process and a way out."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} is in use by process {os.getpid()}") as refused:
            listen("127.0.0.1", port)
    assert f"--port {port + 1}" in refused.value.problem.hint


def test_localhost_reaches_the_server_however_it_resolves() -> None:
    """One port, on 127.0.0.1 and on ::1."""
    sockets = listen("127.0.0.1", 0)
    assert len({listener.getsockname()[1] for listener in sockets}) == 1
    for listener in sockets:
        socket.create_connection(listener.getsockname()[:2], timeout=5).close()
        listener.close()
    if socket.has_ipv6:
        assert {listener.family for listener in sockets} == {socket.AF_INET, socket.AF_INET6}


def test_url_is_the_real_port() -> None:
    """With port 0 the address is the one that was found."""
    sockets = listen("localhost", 0)
    assert url_of(sockets[0]) == f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    for listener in sockets:
        listener.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "example.org", "::", "192.168.1.4"])
def test_host_that_others_reach_is_refused(host: str) -> None:
    """The dev server has no accounts."""
    with pytest.raises(HostNotLocal):
        listen(host, 0)


def test_port_that_is_none_is_refused() -> None:
    """A number that no port has is a problem, not a traceback."""
    with pytest.raises(AddressUnavailable):
        listen("127.0.0.1", 70_000)
