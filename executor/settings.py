"""What may differ from one executor to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from trigger_sdk.protocol.limits import HEARTBEAT_S, LEASE_TTL_S, MAX_VALUE_BYTES

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and secrets of an executor.

    Attributes:
        token: the bearer token a worker must show.
        lease_ttl_s: seconds without a sign of life after which a worker's session is over; the engine's own setting.
        heartbeat_s: seconds between a worker's signs of life, and at least between two that reach the engine.
        body_limit: most bytes of a request's body.
        frame_limit: most bytes of one WebSocket message from a worker.
        outgoing_limit: bytes waiting for one worker above which nothing more is read from it.
        in_flight_limit: a worker's uncommitted operations above which nothing more is read from it.
        stall_s: seconds that a worker may take no byte of what waits for it until its connection is closed.
        hello_timeout_s: seconds a fresh connection may take to introduce itself.
        validation_timeout_s: seconds to wait for a worker's opinion of a payload; then it is accepted as it is.
        longest_wait_s: most seconds of ``?wait=``; longer ones are cut to this.
    """

    token: str = field(repr=False)
    lease_ttl_s: float = LEASE_TTL_S
    heartbeat_s: float = HEARTBEAT_S
    body_limit: int = MAX_VALUE_BYTES + MIB
    frame_limit: int = 4 * MAX_VALUE_BYTES
    outgoing_limit: int = 8 * MIB
    in_flight_limit: int = 16_384
    stall_s: float = 30.0
    hello_timeout_s: float = 10.0
    validation_timeout_s: float = 2.0
    longest_wait_s: float = 60.0
