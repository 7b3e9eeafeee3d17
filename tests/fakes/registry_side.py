"""The side of a client of registries: a clock that sleeping moves, a home folder with credentials, an environment."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from bundler.registry.client import RegistryClient
from bundler.registry.connection import Network
from bundler.registry.credentials import Credentials
from bundler.registry.retrying import Retrying, RetryPolicy
from bundler.registry.uploads import Limits


@dataclass
class ClientSide:
    """Makes clients that never really wait.

    Attributes:
        home: where ``.docker/config.json`` is looked for.
        environ: of the client; only ``PATH`` is that of this process.
        time: what the clock shows, in seconds.
        slept: what was waited, in seconds each.
    """

    home: Path
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})
    time: float = 1000.0
    slept: list[float] = field(default_factory=list)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    limits: Limits = field(default_factory=Limits)
    plain_http: frozenset[str] = frozenset()
    certificates: tuple[Path, ...] = ()

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def log_in(self, host: str, username: str, password: str) -> None:
        """Write a password into the configuration, as ``docker login`` does without a helper."""
        self.configure({"auths": {host: {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}}})

    def configure(self, configuration: object) -> Path:
        """Write the configuration."""
        path = self.home / ".docker" / "config.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(configuration))
        return path

    def helper(self, name: str, script: str) -> None:
        """Put a credential helper, a shell script, on the client's PATH."""
        folder = self.home / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        if not self.environ["PATH"].startswith(f"{folder}:"):
            self.environ["PATH"] = f"{folder}:{self.environ['PATH']}"

    def credentials(self, *, timeout: float = 20.0) -> Credentials:
        return Credentials(environ=self.environ, home=self.home, timeout=timeout)

    def client(self) -> RegistryClient:
        network = Network(
            environ=self.environ, plain_http=self.plain_http, certificates=self.certificates, timeout=20.0
        )
        retrying = Retrying(policy=self.policy, clock=self.now, sleep=self.sleep, jitter=lambda: 0.5)
        return RegistryClient(credentials=self.credentials(), network=network, retrying=retrying, limits=self.limits)
