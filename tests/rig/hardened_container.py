"""A container in which an image of ours may do nothing but run: as on a cluster that trusts nobody."""

from __future__ import annotations

import time
from typing import Any, Self

from tests.rig.dockerd_process import DockerdProcess

OPTIONS = {
    "network_mode": "host",  # the server of the test is on this machine
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 64,
    "tmpfs": {"/tmp": "size=16m"},  # noqa: S108 - in the container
}


class HardenedContainer:
    """A running container; removed when the block ends.

    Args:
        dockerd: the engine.
        image: name or id of the image, which is run as it says itself.
        env: environment variables beside those of the image.
    """

    def __init__(self, dockerd: DockerdProcess, image: str, env: dict[str, str]) -> None:
        self._asked = dockerd.asked()
        self._image = image
        self._env = env
        self._client: Any = None
        self._id = ""

    def __enter__(self) -> Self:
        self._client = self._asked.__enter__()
        config = self._client.create_host_config(**OPTIONS)
        self._id = self._client.create_container(self._image, environment=self._env, host_config=config)["Id"]
        self._client.start(self._id)
        return self

    def __exit__(self, *failure: object) -> None:
        self._client.remove_container(self._id, force=True)
        self._asked.__exit__(None, None, None)

    @property
    def log(self) -> str:
        """What it has written so far."""
        written: bytes = self._client.logs(self._id)
        return written.decode(errors="replace")

    @property
    def user(self) -> str:
        """As whom its first process runs: real user and group by number."""
        status = self.executed("/opt/trigger/bin/python", "-c", "print(open('/proc/1/status').read())")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        return f"{fields['Uid'].split()[0]}:{fields['Gid'].split()[0]}"

    def executed(self, *command: str) -> str:
        """Run a command in it and return its output."""
        made = self._client.exec_create(self._id, list(command))
        output: bytes = self._client.exec_start(made)
        return output.decode()

    def stop(self, patience: int = 20) -> tuple[int, float]:
        """End it as ``docker stop`` does; returns its exit code and the seconds that it took."""
        begun = time.monotonic()
        self._client.stop(self._id, timeout=patience)
        code = int(self._client.wait(self._id, timeout=30)["StatusCode"])
        return code, time.monotonic() - begun
