"""The HTTP client: what answers, what does not, and what is no server of ours."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.fakes.api_server import FakeApi
from trigger_cli.api.address import parse_url
from trigger_cli.api.client import Api
from trigger_cli.errors import NotATriggerServer, Refusal, ServerFailure, ServerUnreachable


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    """Return a client of the fake server."""
    client = Api(parse_url(server.url, "test"))
    yield client
    client.close()


class RawServer:
    """Answers each connection with the same bytes and closes it."""

    def __init__(self, answer: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._answer = answer
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(self._answer)
        except OSError:
            return

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_something_else_answers(answer: bytes) -> None:
    """What listens on the port is another program: the problem says so."""
    other = RawServer(answer)
    try:
        with closing(Api(parse_url(other.url, "test"))) as api, pytest.raises(NotATriggerServer):
            api.jobs()
    finally:
        other.close()


def test_nothing_listens() -> None:
    """No server: the address and who named it are in the message."""
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:1 \(named by me\)"):
        Api(parse_url("http://127.0.0.1:1", "named by me")).jobs()


def test_unknown_host() -> None:
    """A name that does not resolve is the same problem."""
    with pytest.raises(ServerUnreachable):
        Api(parse_url("http://nowhere.invalid", "test")).jobs()


def test_refusal_carries_the_servers_problem(server: FakeApi, api: Api) -> None:
    """409, 403 and the like raise what the server said; 503 too."""
    for status in (400, 403, 409, 503):
        server.state.refusals["GET /api/v1/jobs"] = (status, {"code": "no", "message": "not now", "hint": "later"})
        with pytest.raises(Refusal) as caught:
            api.jobs()
        assert (caught.value.status, caught.value.exit_code) == (status, 4)
        assert (caught.value.problem.code, caught.value.problem.hint) == ("no", "later")


def test_server_failure_is_our_bug(server: FakeApi, api: Api) -> None:
    """A 500 ends with the code of a bug."""
    server.state.refusals["GET /api/v1/jobs"] = (500, {"code": "internal", "message": "oops"})
    with pytest.raises(ServerFailure) as caught:
        api.jobs()
    assert caught.value.exit_code == 70


def test_ids_are_quoted(server: FakeApi, api: Api) -> None:
    """An id with a slash or a question mark stays one part of the path."""
    with pytest.raises(Refusal):
        api.run("../jobs?x=1#y")
    assert server.state.requests[0][1] == "/api/v1/runs/..%2Fjobs%3Fx%3D1%23y"
