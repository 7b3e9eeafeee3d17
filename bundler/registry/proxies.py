"""Which proxy a request goes through: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import httpx

from bundler.registry.reference import is_loopback


def proxy_for(url: httpx.URL, environ: Mapping[str, str]) -> str | None:
    """Return the address of the proxy for a URL; None to ask its host itself.

    This machine is never asked through a proxy: that would be the proxy's own.
    """
    if is_loopback(url.host) or _is_exempt(url, _variable(environ, "no_proxy")):
        return None
    found = _variable(environ, f"{url.scheme}_proxy") or _variable(environ, "all_proxy")
    return (found if "://" in found else f"http://{found}") if found else None


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _is_exempt(url: httpx.URL, listed: str) -> bool:
    host = url.host.lower()
    return any(_fits(host, url.port, entry) for entry in map(str.strip, listed.lower().split(",")) if entry)


def _fits(host: str, port: int | None, entry: str) -> bool:
    """Tell whether an entry of ``NO_PROXY`` is for a host: ``*``, a domain and those below it, a network."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit():
        if int(wanted) != port:
            return False
        entry = name
    domain = entry.removeprefix("*").removeprefix(".")
    return host == domain or host.endswith(f".{domain}")
