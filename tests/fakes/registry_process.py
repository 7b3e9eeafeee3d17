"""A real registry (Debian's docker-registry) on a port of its own, open, with names and passwords, or with tokens."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Literal

from tests.fakes.registry_jwt import JwtServer

Auth = Literal["none", "htpasswd", "token"]

USERNAME, PASSWORD = "lab", "s3cr3t-of-lab"
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
_PATIENCE = 20.0

PROGRAMS: dict[Auth, tuple[str, ...]] = {
    "none": ("docker-registry",),
    "htpasswd": ("docker-registry", "htpasswd"),
    "token": ("docker-registry", "openssl"),
}
"""What each kind needs on PATH: packages docker-registry, apache2-utils, openssl."""


def missing_programs(auth: Auth) -> list[str]:
    """Return which programs are not on PATH."""
    return [program for program in PROGRAMS[auth] if shutil.which(program) is None]


class RegistryProcess:
    """The process; ``host`` is known once it is started, and ``tls`` is a certificate and its key.

    What it stores lies in ``folder``; with ``is_read_only`` it takes nothing.
    """

    def __init__(
        self, folder: Path, auth: Auth = "none", tls: tuple[Path, Path] | None = None, *, is_read_only: bool = False
    ) -> None:
        self._folder = folder
        self._storage = ", maintenance: {readonly: {enabled: true}}" * is_read_only
        self._auth = auth
        self._tls = f", tls: {{certificate: {tls[0]}, key: {tls[1]}}}" if tls else ""
        self._process: subprocess.Popen[bytes] | None = None
        self.tokens: JwtServer | None = None
        self.host = ""

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self._folder / "log").read_text(errors="replace")

    def start(self) -> RegistryProcess:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "config.yml"
        place = f"filesystem: {{rootdirectory: {self._folder / 'data'}}}"
        configuration.write_text(
            "version: 0.1\n"
            f"storage: {{{place}, delete: {{enabled: true}}{self._storage}}}\n"
            f"http: {{addr: '127.0.0.1:0', secret: same-for-all{self._tls}}}\n" + self._authorization()
        )
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(configuration)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + _PATIENCE
        pause = subprocess.Popen(["true"])
        while not (found := _LISTENING.search(self.log)):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            pause.wait()
            pause = subprocess.Popen(["true"])
        pause.wait()
        self.host = f"127.0.0.1:{found[1]}"
        return self

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self.tokens is not None:
            self.tokens.close()

    def _authorization(self) -> str:
        if self._auth == "htpasswd":
            made = subprocess.run(
                ["htpasswd", "-Bbn", USERNAME, PASSWORD], capture_output=True, text=True, check=True, timeout=30
            )
            (self._folder / "htpasswd").write_text(made.stdout)
            return f"auth: {{htpasswd: {{realm: lab, path: {self._folder / 'htpasswd'}}}}}\n"
        if self._auth == "token":
            self.tokens = JwtServer(self._folder, users={USERNAME: PASSWORD}).start()
            bundle = self._folder / "certificate.pem"
            values = f"realm: '{self.tokens.url}', service: lab-registry, issuer: lab-issuer, rootcertbundle: {bundle}"
            return f"auth: {{token: {{{values}}}}}\n"
        return ""
