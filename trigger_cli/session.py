"""What nearly every command needs: the server's API, found from where the user stands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trigger_cli.api.address import VARIABLE, find_server
from trigger_cli.api.client import Api
from trigger_cli.api.credentials import find_credentials, find_profile


@contextmanager
def connected(url: str | None) -> Iterator[Api]:
    """Give the API of the server: of ``url``, else of what the environment, the profile and the project say."""
    environ = os.environ
    profile = None if url or environ.get(VARIABLE) else find_profile(environ, Path.home())
    address = find_server(url, environ, Path.cwd(), profile)
    api = Api(address, find_credentials(environ, profile))
    try:
        yield api
    finally:
        api.close()
