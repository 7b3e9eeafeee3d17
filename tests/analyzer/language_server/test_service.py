"""What the service does with outcomes, and with a check that fails."""

from collections.abc import Callable
from typing import Any

from lsprotocol import types

from analyzer.language_server.options import Options
from analyzer.language_server.positions import Encoding
from analyzer.language_server.service import Service
from analyzer.language_server.snapshot import Snapshot
from tests.fakes.editor_protocol import capabilities


class Client:
    """Records what it is sent."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.logged: list[str] = []

    def text_document_publish_diagnostics(self, params: types.PublishDiagnosticsParams) -> None:
        """Take diagnostics."""

    def window_show_message(self, params: types.ShowMessageParams) -> None:
        """Take a message for the user."""
        self.told.append(params.message)

    def window_log_message(self, params: types.LogMessageParams) -> None:
        """Take a line of the log."""
        self.logged.append(params.message)


class FailingRounds:
    """Fails."""

    def run(self, snapshot: Snapshot, is_stale: Callable[[], bool]) -> None:
        """Fail."""
        message = "a bug of ours"
        raise ZeroDivisionError(message)


async def test_failing_check_is_told_once_and_logged_each_time() -> None:
    """The user hears of it once, the log has every traceback, and the next check is made."""
    client: Any = Client()
    service = Service(client, capabilities(), Encoding.Utf16, Options())
    rounds: Any = FailingRounds()
    service._rounds = rounds
    service.worker.start()
    for _ in range(3):
        service.schedule.changed()
        assert await service.schedule.settled(20)
    service.worker.stop()
    assert len(client.logged) == 3
    assert all("ZeroDivisionError: a bug of ours" in line for line in client.logged)
    (told,) = client.told
    assert "trigger has a bug" in told


def test_options_take_what_they_know() -> None:
    """Nested, dotted, with our section around it or without; what does not fit is left."""
    off = Options(check=False)
    assert Options().updated({"trigger": {"check": {"enable": False}}}) == off
    assert Options().updated({"check": {"enable": False}}) == off
    assert Options().updated({"check.enable": False}) == off
    assert Options().updated({"trigger.check.enable": False}) == off
    nonsense: tuple[object, ...] = (None, 3, [], {"check": "no"}, {"check": {"enable": "no"}}, {"trigger": 5})
    assert {off.updated(each) for each in nonsense} == {off}
