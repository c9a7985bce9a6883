"""Note the answers that a page is made of, so that it can be kept until one of them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from webapp.exact_json import Document, digest_text
from webapp.upstream.errors import UpstreamError

if TYPE_CHECKING:
    from webapp.upstream.client import Upstream
    from webapp.upstream.sender import Request

Asked: TypeAlias = "tuple[Upstream, Request]"
"""A request with the client that makes it."""

_current: ContextVar[Answers | None] = ContextVar("answers", default=None)


class Answers:
    """The answers to the requests of one page, made by any of its threads.

    `known` are the outcomes of requests that were made before: each replaces one request. They
    are not settled if a completion is so new that messages may be added to it.
    """

    def __init__(self, known: Mapping[Asked, Document | UpstreamError] | None = None) -> None:
        self.is_complete = True
        self.is_settled = True
        self._known = dict(known or {})
        self._digests: dict[Asked, bytes] = {}
        self._open = 0
        self._lock = Lock()

    @property
    def digests(self) -> Mapping[Asked, bytes] | None:
        """The digest of the answer to each request; None if one failed, or is still awaited."""
        with self._lock:
            # A copy: a late thread may add to them.
            return self._digests.copy() if self.is_complete and not self._open else None

    @property
    def deciding(self) -> Mapping[Asked, bytes] | None:
        """The digests without those of answers that others decide; None as with `digests`.

        A page of the completion c1 has two answers, that to GET /chat/completions/c1 and that to
        GET /chat/completions/c1/messages. If they are settled, only the first is among these.
        """
        digests = self.digests
        if digests is None or not self.is_settled:
            return digests
        return {
            (upstream, request): digest
            for (upstream, request), digest in digests.items()
            if request.deciding is None or (upstream, request.deciding) not in digests
        }

    def note(self, asked: Asked, send: Callable[[], Document]) -> Document:
        """Note the answer to a request, which `send` makes unless its outcome is known."""
        with self._lock:
            self._open += 1
            outcome = self._known.pop(asked, None)
        digest = None
        try:
            if isinstance(outcome, UpstreamError):
                raise outcome
            text = send() if outcome is None else outcome
            digest = digest_text(text)
            return text
        finally:
            with self._lock:
                self._open -= 1
                if digest is None or self._digests.setdefault(asked, digest) != digest:
                    self.is_complete = False


@contextmanager
def note_answers(answers: Answers) -> Iterator[Answers]:
    """Note the answers to requests made within, also by the threads of a `RequestPool`."""
    token = _current.set(answers)
    try:
        yield answers
    finally:
        _current.reset(token)


@contextmanager
def without_noting() -> Iterator[None]:
    """Leave out the requests made within, whose results are kept for good."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def spoil_answers() -> None:
    """Note that an answer is missing, so that the page is not kept."""
    answers = _current.get()
    if answers is not None:
        answers.is_complete = False


def find_answers() -> Answers | None:
    """Return where the answers of the page are noted; None if they are not."""
    return _current.get()
