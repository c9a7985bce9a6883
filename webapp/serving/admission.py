"""Decide by the headers of a request, before its body is read, whether a worker accepts it.

Every kind of request has a bounded share, and its own threads. One client gets at most half of
the places of a kind, or three quarters for creates, which a gateway may make for all others. Bodies
of creates share a budget of bytes as well, since a body is held in memory until it is answered; one
client gets half of it.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs

from webapp.addresses.forwarding import Proxies
from webapp.addresses.hosts import name_source
from webapp.config import MEBIBYTE, Config
from webapp.serving.refusals import Refusal

RETRY_SECONDS: Final = 5
"""Seconds after which a refused client may try again."""

MAX_OTHER_BODY: Final = MEBIBYTE
"""The largest body of a request other than a create or an upload; forms are smaller."""

UPLOAD_PATH: Final = "/import"
_UPLOADS_AT_ONCE: Final = 4
_SHARED_PATH: Final = "/s/"
_SHARED_AT_ONCE: Final = 8
_FORM_AROUND: Final = MEBIBYTE
"""The most bytes of an upload beside its files."""
_API: Final = "/v1/"
_STORED: Final = "/v1/chat/completions/"
_WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
_FILE: Final = re.compile(r"/export\.\w+\Z|^/completions\.\w+\Z")
_WAITING_PAGES: Final = 8
"""How many pages are accepted for each thread of `READBACK_THREADS`; most wait for one."""
_COMPUTING_PAGES: Final = 4
"""Threads for pages of the embedded server. They wait for nobody: more would only share the
interpreter, and a page among fifty takes fifty times as long."""
_OPENID: Final = "/login/openid"
_SEARCH: Final = re.compile(r"/(?:search|overview)\Z")
_BODIES_AT_ONCE: Final = 2
"""How many bodies of the largest size a worker holds at once, one of them of one client."""

TOO_MANY: Final = Refusal(
    "503 Service Unavailable",
    "The server is busy with other requests of this kind. Try again in a few seconds",
    "server_busy",
    RETRY_SECONDS,
)
MAX_PARAMETERS: Final = 2_000
"""Parameters of a query. Of thousands, each layer that reads them takes a noticeable time."""

TOO_MANY_PARAMETERS: Final = Refusal(
    "400 Bad Request",
    f"An address may have {MAX_PARAMETERS:,} parameters, and this has more",
    "too_many_parameters",
)
NO_ROOM: Final = Refusal(
    "507 Insufficient Storage",
    "The disk for temporary files is full, and this needs one. Try again when there is room",
    "temporary_disk_full",
    RETRY_SECONDS,
)
TOO_LARGE: Final = Refusal(
    "413 Request Entity Too Large",
    "That is more than the server takes at once",
    "request_too_large",
)


class Kind(StrEnum):
    """The kinds of requests, each with its own threads."""

    QUICK = "quick"
    """Health, and everything refused: answered without a wait for anything else."""
    CREATE = "create"
    STREAM = "stream"
    """Answers that are sent as they are read: the API's, whole transcripts, and files of them."""
    SHARED = "shared"
    """The same of shares, which anybody with the link can read."""
    BODY = "body"
    """All else with a body, such as forms and updates: the body may never come."""
    UPLOAD = "upload"
    """Files to import: larger than forms, and few at once."""
    LOGIN = "login"
    """Logins at an identity provider, which may not answer."""
    SEARCH = "search"
    """Pages that read much of the store, and may take a second."""
    PAGE = "page"


PAGES: Final = (Kind.PAGE, Kind.SEARCH)
"""The kinds of which many wait for a thread, and whose answers are made before they are sent."""


def classify(method: str, path: str, query: str, *, has_body: bool = False) -> Kind:
    """Classify a request; `path` is without the prefix that Readback is served under.

    A POST to the API, except updates of stored completions, is for the model server.
    """
    if path == "/healthz":
        return Kind.QUICK
    if method in _WRITES and path.startswith(_API) and not path.startswith(_STORED):
        return Kind.CREATE
    if method == "POST" and path.endswith("/again"):
        # A page waits for the model like a client of the API.
        return Kind.CREATE
    if method == "POST" and path == UPLOAD_PATH:
        return Kind.UPLOAD
    if has_body:
        return Kind.BODY
    if path.startswith(_OPENID):
        return Kind.LOGIN
    if path.startswith(_API) or _FILE.search(path) or "all" in parse_qs(query):
        return Kind.SHARED if path.startswith(_SHARED_PATH) else Kind.STREAM
    return Kind.SEARCH if _SEARCH.search(path) else Kind.PAGE


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many requests of each kind are taken on, and the budget of bodies in bytes.

    Of the kinds in `most_of_one`, one client has at most so many, and of those in `threads_of_one`
    so many are answered at once.
    """

    most: dict[Kind, int]
    threads: dict[Kind, int]
    max_create_body: int
    proxies: Proxies = Proxies()
    max_upload: int = MAX_OTHER_BODY
    most_of_one: dict[Kind, int] = field(default_factory=dict)
    threads_of_one: dict[Kind, int] = field(default_factory=dict)

    @classmethod
    def for_config(cls, config: Config) -> Quotas:
        """Compute the quotas of one worker."""
        threads = dict.fromkeys(Kind, config.threads) | {Kind.QUICK: 2}
        threads[Kind.UPLOAD] = min(_UPLOADS_AT_ONCE, config.threads)
        threads[Kind.SHARED] = min(_SHARED_AT_ONCE, config.threads)
        most = threads | dict.fromkeys(PAGES, _WAITING_PAGES * config.threads)
        del most[Kind.QUICK]
        if config.uses_embedded:
            threads |= dict.fromkeys(PAGES, min(_COMPUTING_PAGES, config.threads))
        proxies = Proxies(config.trusted_proxies, config.prefix)
        takes_uploads = config.uses_embedded and config.allows_writes
        return cls(
            most,
            threads,
            config.model_limits.max_request_bytes,
            proxies,
            config.max_upload_bytes + _FORM_AROUND if takes_uploads else MAX_OTHER_BODY,
            {kind: (number + 1) // 2 for kind, number in most.items()}
            | {Kind.CREATE: max(1, most[Kind.CREATE] * 3 // 4)},
            # Large pages of one client leave others a thread, and half of the interpreter if they
            # compute.
            {
                kind: max(1, threads[kind] // 2 if config.uses_embedded else threads[kind] - 1)
                for kind in PAGES
            },
        )

    def find_client(self, remote: str, forwarded: str) -> str:
        """Return the client of a request from the address `remote`.

        That is an address, or the network of an IPv6 address; `forwarded` is X-Forwarded-For.
        """
        return name_source(self.proxies.find_client(remote, forwarded))

    def find_most_bytes(self, kind: Kind) -> int:
        """Return the size of the largest body of a kind."""
        if kind is Kind.CREATE:
            return self.max_create_body
        return self.max_upload if kind is Kind.UPLOAD else MAX_OTHER_BODY


class Permit:
    """One request that was taken on; `release` gives its place and its bytes back, once."""

    def __init__(self, kind: Kind, client: str, release: Callable[[Permit], None]) -> None:
        self.kind: Final = kind
        self.client: Final = client
        self.held_bytes = 0
        self._release: Callable[[Permit], None] | None = release

    def release(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release(self)


class Admission:
    """Counts the requests that a worker has taken on; safe for all of its threads."""

    def __init__(self, quotas: Quotas) -> None:
        self.quotas: Final = quotas
        self._lock = threading.Lock()
        self._taken = Counter[Kind]()
        self._taken_by = Counter[tuple[Kind, str]]()
        self._bytes_left = quotas.max_create_body * _BODIES_AT_ONCE
        self._bytes_of = Counter[str]()

    def admit(self, kind: Kind, body_bytes: int, client: str = "") -> Permit | Refusal:
        """Admit a request whose head announces `body_bytes`, or refuse it."""
        if body_bytes > self.quotas.find_most_bytes(kind):
            return TOO_LARGE
        with self._lock:
            if self._is_full(kind, client):
                return TOO_MANY
            self._taken[kind] += 1
            self._taken_by[kind, client] += 1
        permit = Permit(kind, client, self._give_back)
        refusal = self.hold_bytes(permit, body_bytes)
        if refusal is not None:
            permit.release()
            return refusal
        return permit

    def hold_bytes(self, permit: Permit, body_bytes: int) -> Refusal | None:
        """Hold so many bytes in all for the body of `permit`, or return the refusal.

        A body in chunks announces no size; it is called again as more of it arrives.
        """
        if body_bytes > self.quotas.find_most_bytes(permit.kind):
            return TOO_LARGE
        if permit.kind is not Kind.CREATE:
            return None
        with self._lock:
            more = body_bytes - permit.held_bytes
            of_client = self._bytes_of[permit.client] + more
            if more > self._bytes_left or of_client > self.quotas.max_create_body:
                return TOO_MANY
            self._bytes_left -= more
            self._bytes_of[permit.client] = of_client
            permit.held_bytes = body_bytes
        return None

    def is_full(self, kind: Kind, client: str) -> bool:
        """Return whether no more requests of a kind are taken on from a client now."""
        with self._lock:
            return self._is_full(kind, client)

    def _is_full(self, kind: Kind, client: str) -> bool:
        quotas = self.quotas
        return (kind in quotas.most and self._taken[kind] >= quotas.most[kind]) or (
            kind in quotas.most_of_one and self._taken_by[kind, client] >= quotas.most_of_one[kind]
        )

    def _give_back(self, permit: Permit) -> None:
        with self._lock:
            self._taken[permit.kind] -= 1
            self._taken_by[permit.kind, permit.client] -= 1
            if not self._taken_by[permit.kind, permit.client]:
                del self._taken_by[permit.kind, permit.client]
            self._bytes_left += permit.held_bytes
            self._bytes_of[permit.client] -= permit.held_bytes
            if not self._bytes_of[permit.client]:
                del self._bytes_of[permit.client]
