"""A service whose requests are effects: ``python -P effects_program.py FILE``. Prints its address, and serves.

Every request is written to FILE, a JSON line each, before it is answered: the run, what was done, the key, when, and
whether it was let happen. ``fail`` of a request is how often the same thing of the same run fails before it happens.
"""

import json
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Effects(ThreadingHTTPServer):
    """Counts and keeps effects."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, file: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self._file = file.open("a", buffering=1)
        self._lock = threading.Lock()
        self._happened: Counter[tuple[str, str]] = Counter()
        self._failed: Counter[tuple[str, str]] = Counter()

    def take(self, asked: dict[str, Any]) -> int:
        """Keep what was asked; returns how often it has happened now, or 0 when it fails."""
        place = asked["run"], asked["what"]
        with self._lock:
            fails = self._failed[place] < asked["fail"]
            (self._failed if fails else self._happened)[place] += 1
            self._file.write(json.dumps(asked | {"at": time.time(), "happened": not fails}) + "\n")
            return 0 if fails else self._happened[place]


class _Request(BaseHTTPRequestHandler):
    server: Effects

    def do_POST(self) -> None:
        """Have an effect, or fail."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        happened = self.server.take(asked)
        answer = json.dumps({"happened": happened}).encode()
        self.send_response(200 if happened else 503)
        self.send_header("Content-Length", str(len(answer)))
        with suppress(ConnectionError):  # who asked was killed
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    effects = Effects(Path(sys.argv[1]))
    print(f"http://127.0.0.1:{effects.server_address[1]}/", flush=True)  # noqa: T201
    effects.serve_forever()
