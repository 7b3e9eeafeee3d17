"""Who may talk to a server on loopback: programs on this machine, and no page of another site in its browser.

A browser lets any page send requests to ``127.0.0.1``. Three checks keep them out, on every request, reads and
WebSockets included:

- *Host* must be one of loopback's names with our port. A page whose DNS name was rebound to 127.0.0.1 still sends its
  own name there.
- *Origin*, which browsers add to every cross-site POST and WebSocket, must be absent or our own.
- *Sec-Fetch-Site*, which browsers add to what carries no Origin (images, scripts, links), must not be another site's,
  except for a visit: a link to us that somebody follows.

No CORS header is ever sent, so a browser gives no page our answers.
"""

from __future__ import annotations

from starlette.types import Scope

from executor.errors import HostRefused, OriginRefused, RequestRefused

LOOPBACK_NAMES = frozenset((b"127.0.0.1", b"localhost", b"[::1]"))
_OWN_SITE = frozenset((b"same-origin", b"none"))


def check_origin(scope: Scope) -> RequestRefused | None:
    """Return why a request must be refused, or None."""
    hosts: list[bytes] = []
    origins: list[bytes] = []
    site = mode = b""
    for name, value in scope["headers"]:
        if name == b"host":
            hosts.append(value)
        elif name == b"origin":
            origins.append(value)
        elif name == b"sec-fetch-site":
            site = value
        elif name == b"sec-fetch-mode":
            mode = value
    if len(hosts) != 1 or not _is_own_host(hosts[0], scope):
        return HostRefused(f"this server does not answer to the name {_shown(hosts)}")
    if origins and origins != [b"http://" + hosts[0].lower()]:
        return OriginRefused(f"pages of {_shown(origins)} may not use this server")
    if site and site not in _OWN_SITE and not _is_visit(scope, mode):
        return OriginRefused("pages of other sites may not use this server")
    return None


def _is_own_host(host: bytes, scope: Scope) -> bool:
    name, colon, port = host.lower().rpartition(b":")
    if not colon or host.endswith(b"]"):
        name, port = host.lower(), b"80"
    server = scope.get("server")
    return name in LOOPBACK_NAMES and server is not None and port == str(server[1]).encode()


def _is_visit(scope: Scope, mode: bytes) -> bool:
    return mode == b"navigate" and scope["type"] == "http" and scope["method"] == "GET"


def _shown(values: list[bytes]) -> str:
    return ", ".join(repr(value.decode("latin-1"))[:100] for value in values) or "''"
