"""What keys and environments refuse, and why.

Error tree; each has the HTTP status, or the WebSocket close code, that goes with it::

    RequestRefused
    ├── KeyMissing             401 key-missing
    ├── KeyRefused             401 key-refused
    ├── ScopeMissing           403 scope-missing
    ├── EnvironmentRefused     403 environment-refused
    ├── EnvironmentInvalid     400 environment-invalid
    ├── EnvironmentMissing     400 environment-missing
    ├── EnvironmentUnknown     404 environment-not-found
    ├── EnvironmentLimit       409 environment-limit
    ├── EnvironmentKept        409 environment-kept
    ├── KeyUnknown             404 key-not-found
    └── RateLimited            429 rate-limited
    SessionEnded
    ├── KeyRevoked             4006 key-revoked
    └── EnvironmentArchived    4007 environment-archived
"""

from __future__ import annotations

from executor.errors import RequestRefused, SessionEnded


class KeyMissing(RequestRefused):
    """The request shows no API key."""

    code = "key-missing"
    hint = "Send the header `Authorization: Bearer tr_...`; `trigger` takes the key from TRIGGER_API_KEY."
    status = 401


class KeyRefused(RequestRefused):
    """What the request shows is no API key, none of this server's, or one that was revoked."""

    code = "key-refused"
    hint = "Check TRIGGER_API_KEY. Somebody with an admin key can make another: trigger keys create"
    status = 401


class ScopeMissing(RequestRefused):
    """The API key is good, and not for this."""

    code = "scope-missing"
    status = 403


class EnvironmentRefused(RequestRefused):
    """The API key is of another environment than the request is about."""

    code = "environment-refused"
    hint = "Use a key of that environment."
    status = 403


class EnvironmentInvalid(RequestRefused):
    """No environment can have this name."""

    code = "environment-invalid"
    hint = "Environments are dev, staging, prod, and preview/BRANCH for each branch."


class EnvironmentMissing(RequestRefused):
    """The API key works in all environments, and the request does not say in which."""

    code = "environment-missing"
    hint = "Send the header `Trigger-Environment: prod`; `trigger` takes it from TRIGGER_ENVIRONMENT."


class EnvironmentUnknown(RequestRefused):
    """There is no environment of this name, or it was archived."""

    code = "environment-not-found"
    status = 404


class EnvironmentLimit(RequestRefused):
    """There are as many environments as the server takes."""

    code = "environment-limit"
    hint = "Archive previews that are not needed any more."
    status = 409


class EnvironmentKept(RequestRefused):
    """dev, staging and prod stay."""

    code = "environment-kept"
    hint = "Only previews can be archived."
    status = 409


class KeyUnknown(RequestRefused):
    """No API key begins like this."""

    code = "key-not-found"
    hint = "List them: trigger keys list"
    status = 404


class RateLimited(RequestRefused):
    """The API key is used for more requests than the server takes of one key."""

    code = "rate-limited"
    hint = "Wait as long as the header Retry-After says. Start many runs in one request: /api/v1/runs/batch"
    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class KeyRevoked(SessionEnded):
    """The API key that the worker came with was revoked."""

    code = "key-revoked"
    hint = "Start the worker with another key: trigger keys create --purpose worker"
    close_code = 4006


class EnvironmentArchived(SessionEnded):
    """The environment that the worker is of was archived."""

    code = "environment-archived"
    hint = "Create the environment again, or stop the worker."
    close_code = 4007
