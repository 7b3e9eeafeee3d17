"""What the executor refuses, and why.

Error tree; each has the HTTP status, or the WebSocket close code, that goes with it::

    ExecutorError
    ├── RequestRefused         answers of the HTTP API
    │   ├── RequestInvalid     400 invalid-request
    │   ├── JsonInvalid        400 invalid-json
    │   ├── TokenRefused       401 token-refused
    │   ├── HostRefused        403 host-refused
    │   ├── OriginRefused      403 origin-refused
    │   ├── UnknownJob         404 unknown-job
    │   ├── PathUnknown        404 path-not-found
    │   ├── MethodRefused      405 method-not-allowed
    │   ├── BodyTooLarge       413 body-too-large
    │   ├── NotJson            415 not-json
    │   ├── InternalError      500 internal-error
    │   └── ServerStopping     503 server-stopping
    ├── SessionEnded           why a worker's connection is closed
    │   ├── ProtocolMismatch   4001 protocol-mismatch
    │   ├── FrameInvalid       4002 invalid-frame
    │   ├── HelloMissing       4003 hello-missing
    │   ├── WorkerDuplicate    4004 duplicate-worker
    │   ├── SessionFailed      4005 session-failed
    │   ├── SessionReplaced    4101 session-replaced
    │   ├── SessionExpired     4102 session-expired
    │   └── WorkerStalled      4103 worker-stalled
    ├── PortInUse              port-in-use
    └── AddressUnavailable     address-unavailable
"""

from __future__ import annotations

from typing import ClassVar

from trigger_sdk.protocol.problem import TriggerError


class ExecutorError(TriggerError):
    """The root of the executor's errors."""

    code = "executor-error"


# --- answers of the HTTP API --------------------------------------------------------------------------------------


class RequestRefused(ExecutorError):
    """The root of what the API refuses. ``status`` is the answer's."""

    code = "request-refused"
    status: ClassVar[int] = 400


class RequestInvalid(RequestRefused):
    """A field, option or parameter of a request is unknown, missing, or of the wrong kind; ``where`` names it."""

    code = "invalid-request"
    hint = "The API is described at /api/v1/openapi.json."


class JsonInvalid(RequestRefused):
    """The body of a request is not JSON; ``where`` is the line and column."""

    code = "invalid-json"
    hint = "Send one JSON object in UTF-8."


class TokenRefused(RequestRefused):
    """A worker showed no token, or not the server's."""

    code = "token-refused"
    hint = "Workers are started by the server, which gives them its token; start the worker through `trigger dev`."
    status = 401


class HostRefused(RequestRefused):
    """The request names another server than this, as that of a page does that rebinds its DNS name."""

    code = "host-refused"
    hint = (
        "Use the address that the server printed when it started: http://127.0.0.1 or http://localhost, and its port."
    )
    status = 403


class OriginRefused(RequestRefused):
    """A page of another site sent the request from somebody's browser."""

    code = "origin-refused"
    hint = "Call the API from a program, not from another site's page: such pages may not use it."
    status = 403


class UnknownJob(RequestRefused):
    """No worker's current code declares a job with this id."""

    code = "unknown-job"
    status = 404


class PathUnknown(RequestRefused):
    """There is nothing at this path."""

    code = "path-not-found"
    hint = "The paths of the API are listed at /api/v1/openapi.json."
    status = 404


class MethodRefused(RequestRefused):
    """The path is there, and does not take this method."""

    code = "method-not-allowed"
    status = 405


class BodyTooLarge(RequestRefused):
    """The body of a request is over the limit."""

    code = "body-too-large"
    hint = "Put large data into a file or an object store, and pass its address in the payload."
    status = 413


class NotJson(RequestRefused):
    """A request with a body does not say that it is JSON, so that it could come from a form on any page."""

    code = "not-json"
    hint = "Send the header `Content-Type: application/json`."
    status = 415


class InternalError(RequestRefused):
    """The server made a mistake; its log has the traceback under the id in the message."""

    code = "internal-error"
    hint = "Report this with the lines of the server's log that name the id."
    status = 500


class ServerStopping(RequestRefused):
    """The server is about to stop, and gave up the request."""

    code = "server-stopping"
    hint = "Try again when the server is back."
    status = 503


# --- why a worker's connection is closed --------------------------------------------------------------------------


class SessionEnded(ExecutorError):
    """The root of the reasons to close a worker's connection.

    ``close_code`` is the WebSocket's. With 40xx the worker must not come back as it is; with 41xx it may, at once.
    """

    code = "session-ended"
    close_code: ClassVar[int] = 4000

    @property
    def final(self) -> bool:
        """True when coming back would end the same way."""
        return self.close_code < 4100  # noqa: PLR2004 - where 41xx begins


class ProtocolMismatch(SessionEnded):
    """Worker and server speak different versions of the protocol."""

    code = "protocol-mismatch"
    hint = "Install trigger-sdk and trigger-cli of the same release."
    close_code = 4001


class FrameInvalid(SessionEnded):
    """A worker sent something that is not a frame of the protocol."""

    code = "invalid-frame"
    hint = "Install trigger-sdk and trigger-cli of the same release."
    close_code = 4002


class HelloMissing(SessionEnded):
    """A connection did not begin with Hello, or not in time."""

    code = "hello-missing"
    hint = "Start the worker again."
    close_code = 4003


class WorkerDuplicate(SessionEnded):
    """Another process is connected under the same worker id."""

    code = "duplicate-worker"
    hint = "Give each worker process an id of its own."
    close_code = 4004


class SessionFailed(SessionEnded):
    """The server made a mistake while it served the session; its log has the traceback."""

    code = "session-failed"
    hint = "Report this with the lines of the server's log that name the worker."
    close_code = 4005


class SessionReplaced(SessionEnded):
    """The same worker connected anew, so its earlier connection is over."""

    code = "session-replaced"
    hint = "Nothing needs to be done: the newer connection goes on."
    close_code = 4101


class SessionExpired(SessionEnded):
    """The worker gave no sign of life for longer than its lease, so its runs may be elsewhere."""

    code = "session-expired"
    hint = "Connect again: runs whose lease still stands go on."
    close_code = 4102


class WorkerStalled(SessionEnded):
    """The worker does not read what is sent to it."""

    code = "worker-stalled"
    hint = "Connect again; look for what keeps the worker's main thread busy."
    close_code = 4103


# --- starting the server ------------------------------------------------------------------------------------------


class PortInUse(ExecutorError):
    """Something else listens on the port."""

    code = "port-in-use"


class AddressUnavailable(ExecutorError):
    """The server cannot listen at the address: it is not this machine's, or needs rights it does not have."""

    code = "address-unavailable"
    hint = "Choose another port above 1023 with `--port`."
