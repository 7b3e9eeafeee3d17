"""Which scope each route needs, and which scopes the keys of each purpose have: the one place that says so.

``executor.app`` refuses to put a route into the application that is not in :data:`NEEDS`, and the OpenAPI document
states the scopes from here. ``trigger dev`` serves the same routes without keys, on loopback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

ScopeName = Literal["jobs:read", "runs:read", "runs:write", "metrics:read", "workers:connect", "admin"]
"""What a key may do in its environment. ``runs:write`` starts and steers runs and sends events; ``admin`` makes keys
and environments and reads the audit log."""

Purpose = Literal["admin", "deploy", "trigger", "read", "worker"]
"""What a key is made for."""

SCOPES: Final[tuple[ScopeName, ...]] = get_args(ScopeName)
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)

GRANTS: Final[Mapping[Purpose, frozenset[ScopeName]]] = {
    "admin": frozenset(SCOPES),
    "deploy": frozenset({"jobs:read"}),
    "trigger": frozenset({"jobs:read", "runs:read", "runs:write"}),
    "read": frozenset({"jobs:read", "runs:read", "metrics:read"}),
    "worker": frozenset({"workers:connect"}),
}
"""Purpose to scopes. ``trigger`` reads too: whoever starts a run waits for its result."""

PUBLIC: Final = None
"""No key is needed."""

NEEDS: Final[Mapping[tuple[str, str], ScopeName | None]] = {
    ("POST", "/api/v1/jobs/{id:path}/runs"): "runs:write",
    ("POST", "/api/v1/runs/batch"): "runs:write",
    ("POST", "/api/v1/runs/{id}/cancel"): "runs:write",
    ("POST", "/api/v1/runs/{id}/resume"): "runs:write",
    ("POST", "/api/v1/runs/{id}/replay"): "runs:write",
    ("POST", "/api/v1/events"): "runs:write",
    ("GET", "/api/v1/runs/{id}"): "runs:read",
    ("GET", "/api/v1/runs/{id}/steps"): "runs:read",
    ("GET", "/api/v1/runs/{id}/logs"): "runs:read",
    ("GET", "/api/v1/runs"): "runs:read",
    ("GET", "/api/v1/jobs"): "jobs:read",
    ("WS", "/api/v1/worker"): "workers:connect",
    ("POST", "/api/v1/worker/blocked"): "workers:connect",
    ("GET", "/api/v1/keys"): "admin",
    ("POST", "/api/v1/keys"): "admin",
    ("POST", "/api/v1/keys/{id}/revoke"): "admin",
    ("GET", "/api/v1/environments"): "admin",
    ("POST", "/api/v1/environments"): "admin",
    ("POST", "/api/v1/environments/{name:path}/archive"): "admin",
    ("GET", "/api/v1/audit"): "admin",
    ("GET", "/metrics"): "metrics:read",
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/api/v1/openapi.json"): PUBLIC,
}
"""(method, path) to the scope; ``WS`` is a WebSocket."""

AUDITED: Final = frozenset(
    {
        ("POST", "/api/v1/runs/{id}/cancel"),
        ("POST", "/api/v1/runs/{id}/resume"),
        ("POST", "/api/v1/runs/{id}/replay"),
        ("POST", "/api/v1/keys"),
        ("POST", "/api/v1/keys/{id}/revoke"),
        ("POST", "/api/v1/environments"),
        ("POST", "/api/v1/environments/{name:path}/archive"),
    }
)
"""What is written to the audit log. Starts of runs and events are not: each is a record by itself, with its time."""
