"""The client of an OpenAI-compatible server that stores chat completions.

    client         `Upstream`: the API's operations
    canonical      pages of any server, in one form
    neighbors      the page that begins with an item, or ends before it
    answers        the answers that a page is made of, noted to be asked for again
    sender         one request with its retries
    endpoint       where a request goes: the server, its credentials, paths and queries
    decoding       bytes to text to values
    large_answers  the requests of readers that may hold large answers at once
    errors         the tree of errors
    error_mapping  responses and exceptions to errors
    error_bodies   the sentence and the members of an error

Usable in a script: it needs requests and Readback's values, and knows nothing of Flask.
"""

from webapp.config import Limits
from webapp.http.deadline import SYSTEM_CLOCK, Clock, Deadline
from webapp.upstream.answers import (
    Answers,
    Asked,
    note_answers,
    spoil_answers,
    without_noting,
)
from webapp.upstream.canonical import (
    MAX_ITEMS,
    CanonicalPage,
    End,
    Fetch,
    canonicalize,
    check_end,
    count_from_newest,
    last_items,
    next_cursor,
    walk,
)
from webapp.upstream.client import Upstream
from webapp.upstream.decoding import find_cut_completion
from webapp.upstream.endpoint import Endpoint, Secret, check_id
from webapp.upstream.errors import (
    BadAnswer,
    BadRequest,
    Busy,
    InvalidId,
    KeyRejected,
    NotFound,
    NotStored,
    NotSupported,
    RateLimited,
    Redirected,
    ServerFailed,
    TimedOut,
    TooLarge,
    Unreachable,
    UpstreamError,
)
from webapp.upstream.large_answers import LARGE, Holder, Places, hold_answers, take_place
from webapp.upstream.neighbors import find_page_before, find_page_from
from webapp.upstream.sender import compute_backoff

__all__ = [
    "Upstream",
    "Answers",
    "Asked",
    "note_answers",
    "spoil_answers",
    "without_noting",
    "LARGE",
    "Holder",
    "Places",
    "hold_answers",
    "take_place",
    "MAX_ITEMS",
    "CanonicalPage",
    "End",
    "Fetch",
    "canonicalize",
    "check_end",
    "check_id",
    "count_from_newest",
    "find_cut_completion",
    "find_page_before",
    "find_page_from",
    "last_items",
    "next_cursor",
    "walk",
    "SYSTEM_CLOCK",
    "Clock",
    "Deadline",
    "Limits",
    "Endpoint",
    "Secret",
    "BadAnswer",
    "BadRequest",
    "Busy",
    "InvalidId",
    "KeyRejected",
    "NotFound",
    "NotStored",
    "NotSupported",
    "RateLimited",
    "Redirected",
    "ServerFailed",
    "TimedOut",
    "TooLarge",
    "Unreachable",
    "UpstreamError",
    "compute_backoff",
]
