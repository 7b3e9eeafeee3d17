"""Sockets to listen on, bound before anything slow happens: a worker can connect at once. Imports nothing heavy."""

from __future__ import annotations

import errno
import socket
from typing import Final

from executor.errors import AddressUnavailable, PortInUse
from executor.listeners import who_listens

LOOPBACK: Final = "127.0.0.1"
LOOPBACK_6: Final = "::1"
BACKLOG: Final = 2048
_TRIES: Final = 20
_LAST_PORT: Final = 65535


def bind(host: str, port: int, *, ipv6: bool = False) -> list[socket.socket]:
    """Return sockets that listen at an address and, with ``ipv6``, at the same port of ``::1`` where there is IPv6.

    Args:
        host: the address to listen at.
        port: TCP port; 0 takes one that is free.
        ipv6: listen at ``::1`` too.

    Raises:
        PortInUse: another process listens there; it is named where the system tells.
        AddressUnavailable: the address is not this machine's, the port needs rights, or is none.
    """
    for attempt in range(_TRIES):
        first = _bind(host, port)
        if not ipv6 or host == LOOPBACK_6:
            return [first]
        try:
            return [first, _bind(LOOPBACK_6, first.getsockname()[1])]
        except AddressUnavailable:
            return [first]  # a machine without IPv6
        except PortInUse:
            first.close()
            if port or attempt == _TRIES - 1:
                raise
    raise AssertionError("the loop returns or raises")


def url_of(listener: socket.socket) -> str:
    """Return the address of the API behind a listening socket, ``http://127.0.0.1:8734``."""
    host, port = listener.getsockname()[:2]
    return f"http://{_shown(host, port)}"


def _bind(host: str, port: int) -> socket.socket:
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
    address = _shown(host, port)
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        owners = " and ".join(who_listens(port))
        return PortInUse(
            f"port {port} is in use{' by ' if owners else ''}{owners}",
            hint=f"Stop that, or listen elsewhere: --port {port + 1 if port < _LAST_PORT else 0}",
            where=address,
        )
    if number == errno.EACCES:
        return AddressUnavailable(f"your user may not listen on port {port}", where=address)
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return AddressUnavailable(f"cannot listen on {address}: {reason}", where=address)


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
