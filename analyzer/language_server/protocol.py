"""The protocol's state: what may be said when, and documents that are ours to keep."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_NOT_INITIALIZED: Final = -32002
_INVALID_REQUEST: Final = -32600
_PARSE_ERROR: Final = -32700

_OURS: Final = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
)
"""Notifications that pygls would take itself; its lines end at form feeds too, which shifts every edit below one."""


class Protocol(LanguageServerProtocol):
    """Speaks the protocol: each request is answered, whatever state we are in and whatever it holds."""

    on_exit: Callable[[int], None] | None = None
    """Called with the exit code when the client says `exit`."""

    def __init__(self, server: Any, converter: Any) -> None:
        super().__init__(server, converter)
        self._is_initialized = False
        for method in _OURS:
            self.fm.builtin_features.pop(method, None)

    def receive(self, body: bytes) -> None:
        """Take a message as it came."""
        try:
            raw = json.loads(body)
        except ValueError:
            logger.exception("a message is not JSON")
            self._refuse(None, _PARSE_ERROR, "the message is not JSON")
            return
        if not isinstance(raw, dict):
            self._refuse(None, _INVALID_REQUEST, "batches are not part of the protocol")
            return
        try:
            message = self.structure_message(raw)
        except JsonRpcException as error:
            logger.warning("a message does not fit its method: %s", raw.get("method"))
            if "id" in raw and "method" in raw:
                self._send_response(raw["id"], error=error.to_response_error())
            return
        self.handle_message(message)

    def handle_message(self, message: Any) -> None:
        """Handle a message, if it may come now."""
        method = getattr(message, "method", None)
        if method is None or method == types.EXIT:
            super().handle_message(message)
            return
        is_initialize = method == types.INITIALIZE
        refusal = None
        if self._shutdown:
            refusal = (_INVALID_REQUEST, "the server has been shut down")
        elif is_initialize and self._is_initialized:
            refusal = (_INVALID_REQUEST, "the server is initialized already")
        elif not is_initialize and not self._is_initialized:
            refusal = (_NOT_INITIALIZED, "the server is not initialized")
        if refusal is None:
            self._is_initialized = True
            super().handle_message(message)
        elif hasattr(message, "id"):
            self._refuse(message.id, *refusal)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]  # a handler need not be a generator
        """End: well after `shutdown`, with 1 without it."""
        if self.on_exit is not None:
            self.on_exit(0 if self._shutdown else 1)

    @property
    def is_shut_down(self) -> bool:
        """Whether the client has said `shutdown`."""
        return self._shutdown

    def _refuse(self, identifier: Any, code: int, message: str) -> None:
        self._send_response(identifier, error=types.ResponseError(code=code, message=message))
