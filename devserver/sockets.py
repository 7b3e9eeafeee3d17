"""The sockets of the dev server: this machine's only, since it has no accounts."""

from __future__ import annotations

import socket

from devserver.errors import HostNotLocal
from executor.sockets import LOOPBACK, LOOPBACK_6, bind


def listen(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets: by default of both address families, so that `localhost` works however it resolves.

    Args:
        host: ``127.0.0.1`` or ``localhost`` for both families, ``::1`` for IPv6 alone.
        port: TCP port; 0 takes one that is free.

    Raises:
        HostNotLocal: the host is no loopback address.
        PortInUse, AddressUnavailable: as of :func:`executor.sockets.bind`.
    """
    if host == LOOPBACK_6:
        return bind(host, port)
    if host not in (LOOPBACK, "localhost"):
        raise HostNotLocal(f"the dev server serves this machine only, and {host!r} is not a loopback address")
    return bind(LOOPBACK, port, ipv6=True)
