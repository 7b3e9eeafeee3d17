"""A token server for a real registry: signs (RS256, with its certificate in x5c) by the program openssl."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.fakes.registry_tokens import actions_of, basic


class JwtServer:
    """Serves tokens from a thread, so that other processes can be waited for meanwhile.

    Attributes:
        life: seconds that a token lives; the registry allows for one minute more.
        requests: what was asked for, name to actions.
    """

    def __init__(self, folder: Path, *, users: dict[str, str]) -> None:
        self._key, self._certificate = folder / "key.pem", folder / "certificate.pem"
        self._users = users
        self.life = 300
        self.requests: list[dict[str, set[str]]] = []

    def start(self) -> JwtServer:
        _openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=lab",
            "-keyout", str(self._key), "-out", str(self._certificate),
        )  # fmt: skip
        self._x5c = base64.b64encode(_openssl("x509", "-in", str(self._certificate), "-outform", "DER")).decode()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                allowed = {basic(*pair) for pair in server._users.items()}
                authorization = self.headers.get("Authorization", "")
                status, body = 401, b'{"details":"who are you"}'
                if not authorization or authorization in allowed:
                    query = parse_qs(urlsplit(self.path).query)
                    status, body = 200, server._token(query, is_known=bool(authorization))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _token(self, query: dict[str, list[str]], *, is_known: bool) -> bytes:
        asked = actions_of(query.get("scope", []))
        self.requests.append(asked)
        now = int(time.time())
        access = [
            {"type": "repository", "name": name, "actions": sorted(actions if is_known else actions & {"pull"})}
            for name, actions in asked.items()
        ]
        claims = {
            "iss": "lab-issuer", "sub": "lab", "aud": query["service"][0], "jti": str(len(self.requests)),
            "iat": now, "nbf": now - 5, "exp": now + self.life, "access": access,
        }  # fmt: skip
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._x5c]}
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
        signature = _openssl("dgst", "-sha256", "-sign", str(self._key), stdin=signed.encode())
        return json.dumps({"token": f"{signed}.{_encoded(signature)}", "expires_in": self.life}).encode()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    made = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True, timeout=60)
    return made.stdout
