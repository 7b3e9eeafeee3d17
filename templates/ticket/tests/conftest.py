import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import all_services
from services.server import World, make_server


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The services, fresh, on a port of their own: `world.effects` is what was done."""
    server = make_server(all_services(), port=0, journal=tmp_path / "requests.jsonl")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("SERVICES_URL", f"http://127.0.0.1:{server.server_port}")
    yield server.world
    server.shutdown()
    thread.join()
    server.server_close()
