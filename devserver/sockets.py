"""The sockets that the server listens on, bound before anything slow happens: a worker can connect at once."""

from __future__ import annotations

import errno
import socket
from typing import Final

from devserver.errors import HostNotLocal
from devserver.options import LOOPBACK
from executor.errors import AddressUnavailable, PortInUse
from executor.listeners import who_listens

LOOPBACK_6: Final = "::1"
BACKLOG: Final = 2048
_LAST_PORT: Final = 65535


def listen(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets: by default of both address families, so that `localhost` works however it resolves.

    Args:
        host: ``127.0.0.1`` or ``localhost`` for both families, ``::1`` for IPv6 alone.
        port: TCP port; 0 takes one that is free.

    Raises:
        HostNotLocal: the host is no loopback address.
        PortInUse: another process listens there.
        AddressUnavailable: the port needs rights, or is none.
    """
    if host == LOOPBACK_6:
        return [_listen(LOOPBACK_6, port)]
    if host not in (LOOPBACK, "localhost"):
        raise HostNotLocal(f"the dev server serves this machine only, and {host!r} is not a loopback address")
    first = _listen(LOOPBACK, port)
    try:
        return [first, _listen(LOOPBACK_6, first.getsockname()[1])]
    except AddressUnavailable:
        return [first]  # a machine without IPv6
    except PortInUse:
        first.close()
        raise


def url_of(listener: socket.socket) -> str:
    """Return the address of the API behind a listening socket, ``http://127.0.0.1:8734``."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _refusal(host, port, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _refusal(host, port, error) from error
    return listener


def _refusal(host: str, port: int, error: OSError | OverflowError) -> PortInUse | AddressUnavailable:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        owners = " and ".join(who_listens(port))
        return PortInUse(
            f"port {port} is in use{' by ' if owners else ''}{owners}",
            hint=f"Stop that, or listen elsewhere: trigger dev --port {port + 1 if port < _LAST_PORT else 0}",
            where=address,
        )
    if number == errno.EACCES:
        return AddressUnavailable(f"your user may not listen on port {port}", where=address)
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return AddressUnavailable(f"cannot listen on {address}: {reason}", where=address)
