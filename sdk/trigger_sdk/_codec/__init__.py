"""The codec: live values and exceptions to bytes, and back to the same types.

Used by the runtime (results, errors, payloads) and by whatever starts runs. User code does not import it.
"""

from __future__ import annotations

from trigger_sdk._codec.decode import decode as decode
from trigger_sdk._codec.decode import decode_error as decode_error
from trigger_sdk._codec.encode import encode as encode
from trigger_sdk._codec.encode import encode_error as encode_error
from trigger_sdk._codec.payload import decode_input as decode_input
from trigger_sdk._codec.payload import decode_payload as decode_payload
from trigger_sdk._codec.payload import payload_to_plain as payload_to_plain
from trigger_sdk._codec.schema import payload_schema as payload_schema

__all__ = [
    "decode",
    "decode_error",
    "decode_input",
    "decode_payload",
    "encode",
    "encode_error",
    "payload_schema",
    "payload_to_plain",
]
