"""What nearly every command needs: the server's API, found from where the user stands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trigger_cli.api.address import find_server
from trigger_cli.api.client import Api


@contextmanager
def connected(url: str | None) -> Iterator[Api]:
    """Give the API of the server: of ``url``, else of what the environment and the project say."""
    api = Api(find_server(url, os.environ, Path.cwd()))
    try:
        yield api
    finally:
        api.close()
