"""The client of an OpenAI-compatible server that stores chat completions.

Usable in a script: it needs requests and Readback's values, and knows nothing of Flask.
"""

from webapp.config import Limits
from webapp.upstream.client import Upstream
from webapp.upstream.cursors import (
    MOST_SHOWN,
    CursorGuard,
    behind,
    capped,
    next_cursor,
    usable_cursor,
    walk,
)
from webapp.upstream.deadline import Clock, Deadline
from webapp.upstream.endpoint import Endpoint, Secret
from webapp.upstream.errors import (
    BadAnswer,
    BadRequest,
    InvalidId,
    KeyRejected,
    NotFound,
    NotSupported,
    RateLimited,
    Redirected,
    ServerFailed,
    TimedOut,
    Unreachable,
    UpstreamError,
)
from webapp.upstream.paths import is_valid_id

__all__ = [
    "MOST_SHOWN",
    "BadAnswer",
    "BadRequest",
    "Clock",
    "CursorGuard",
    "Deadline",
    "Endpoint",
    "InvalidId",
    "KeyRejected",
    "Limits",
    "NotFound",
    "NotSupported",
    "RateLimited",
    "Redirected",
    "Secret",
    "ServerFailed",
    "TimedOut",
    "Unreachable",
    "Upstream",
    "UpstreamError",
    "capped",
    "behind",
    "is_valid_id",
    "next_cursor",
    "usable_cursor",
    "walk",
]
