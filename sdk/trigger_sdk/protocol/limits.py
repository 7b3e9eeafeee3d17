"""The stated limits and defaults that both ends of the wire know."""

PROTOCOL_VERSION = 1
"""Raised when a message changes in a way that an older peer cannot read."""

DEFAULT_PORT = 8734
"""Where the dev server listens, and where ``job.trigger()`` looks without TRIGGER_API_URL."""

BIG_VALUE_BYTES = 256 * 1024
"""Encoded values larger than this are compressed, and stored beside the journal."""

MAX_VALUE_BYTES = 64 * 1024 * 1024
"""The largest encoded value (payload, result, event payload) that is accepted, before compression."""

JOURNAL_PAGE_BYTES = 1024 * 1024
"""A journal is sent to a worker in messages of about this size."""

DEFAULT_WAIT_GRACE_S = 5.0
"""Seconds a run whose every branch waits stays in its worker before it leaves it."""

LEASE_TTL_S = 15.0
"""Seconds after a worker's last sign of life until its runs go to others."""

HEARTBEAT_S = 3.0
"""Seconds between a worker's signs of life."""
