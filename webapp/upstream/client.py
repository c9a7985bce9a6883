"""The operations on stored chat completions, as methods that return values or raise.

How a request is sent, bounded and retried is in `sender`; nothing here knows Flask.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, TypeVar

from requests.adapters import BaseAdapter

from webapp.completions import Completion
from webapp.config import Limits
from webapp.exact_json import Document
from webapp.http import open_session
from webapp.http.deadline import SYSTEM_CLOCK, Clock, Deadline
from webapp.http.transport import TimedAdapter, work_meanwhile
from webapp.messages import Message
from webapp.upstream import decoding
from webapp.upstream.answers import find_answers
from webapp.upstream.canonical import Fetch, walk
from webapp.upstream.decoding import Page
from webapp.upstream.endpoint import (
    COMPLETIONS,
    Endpoint,
    build_page_query,
    check_id,
    completion_path,
)
from webapp.upstream.error_bodies import is_html
from webapp.upstream.error_mapping import clean_text, suggest_base_url
from webapp.upstream.errors import (
    BadAnswer,
    BadRequest,
    NotFound,
    NotStored,
    NotSupported,
    TimedOut,
)
from webapp.upstream.neighbors import find_page_from
from webapp.upstream.sender import Request, Sender

NEW_SECONDS: Final = 10.0
"""Seconds after its creation during which a completion may still answer 404."""
SETTLED_SECONDS: Final = 300.0
"""Seconds after its creation from which on all messages of a completion are expected to be there.

Clocks of servers may differ by some of them.
"""
NEW_TRIES: Final = 3
NEW_WAIT: Final = 2.0
"""Seconds between the tries."""

_STORE: Final = "X-Readback-Store"
_STORED_AS: Final = "X-Readback-Stored-As"
"""The headers of our own server with the fate of a new completion, and its id if it is another."""

T = TypeVar("T")


class Upstream:
    """A client of one server, for many threads at once; `host` is its name for display.

    No answer may be larger than `max_bytes`.
    Every method raises `UpstreamError`. `deadline` bounds a request with all its retries;
    without one it is `limits.page_timeout` from now, by `clock`. `pool_size` is the number of
    connections kept; the number of threads is a good value. `created`, in unix seconds, is the
    time at which the completion was created: while it is new, a 404 is tried again, since the
    API returns a completion only some seconds after its creation.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        limits: Limits | None = None,
        pool_size: int = 16,
        transport: BaseAdapter | None = None,
        proxy: str | None = None,
        ca_bundle: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.host = endpoint.host
        self.clock = clock
        self._limits = limits or Limits()
        self.max_bytes = self._limits.max_bytes
        self._session = open_session(
            transport or TimedAdapter(pool_connections=1, pool_maxsize=pool_size),
            counted_as="upstream",
            proxy=proxy,
            ca_bundle=ca_bundle,
        )
        self._sender = Sender(endpoint, self._session, self._limits, clock)

    def list_completions(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        order: str | None = None,
        model: str | None = None,
        metadata: Mapping[str, str] | None = None,
        own: Mapping[str, str] | None = None,
        deadline: Deadline | None = None,
    ) -> Page[Completion]:
        """List one page of completions, as sent; blank filters are left out.

        `own` are parameters that our own server alone knows: filters in `words`, a `sort`,
        `conversations=folded`.
        """
        query = build_page_query(
            after=after, limit=limit, order=order, model=model, metadata=metadata, own=own
        )
        request = Request("GET", COMPLETIONS, query)
        decode = partial(decoding.decode_page, read=Completion.from_json)
        return self._exchange(request, decode, deadline)

    def retrieve_completion(
        self,
        completion_id: str,
        *,
        created: int | None = None,
        deadline: Deadline | None = None,
    ) -> Completion:
        """Retrieve one completion as stored."""
        request = Request("GET", completion_path(completion_id))
        completion = self._exchange(request, decoding.decode_completion, deadline, created=created)
        answers = find_answers()
        if answers and self.may_be_unfinished(completion.created):
            answers.is_settled = False
        return completion

    def update_completion(
        self,
        completion_id: str,
        *,
        metadata: Mapping[str, str],
        deadline: Deadline | None = None,
    ) -> Completion:
        """Replace the completion's metadata and return the completion."""
        body = json.dumps({"metadata": dict(metadata)}).encode()
        request = Request("POST", completion_path(completion_id), body=body)
        return self._exchange(request, decoding.decode_completion, deadline)

    def delete_completion(self, completion_id: str, *, deadline: Deadline | None = None) -> None:
        """Delete the completion. Raises `NotFound` if there is none."""
        request = Request("DELETE", completion_path(completion_id))
        self._exchange(request, decoding.check_deletion, deadline)

    def create_completion(self, body: bytes, *, deadline: Deadline | None = None) -> str:
        """Create the completion that `body` asks for, and return the id that it is stored under.

        Raises `NotStored` if the server says that it could not store it.
        """
        deadline = deadline or self._start_deadline()
        try:
            reply = self._sender.send(Request("POST", COMPLETIONS, body=body), deadline=deadline)
            if reply.headers.get(_STORE, "stored") != "stored":
                raise NotStored("The model has answered, but its answer is not in the store.")
            completion = self._decode(reply.text, decoding.decode_completion, deadline)
        except (BadRequest, NotFound, NotSupported) as error:
            if error.status == 501:
                raise
            # A 404 is about the model, since there is no completion yet.
            raise BadRequest(
                "The model server refused the request.",
                status=error.status,
                server_message=error.server_message,
                type=error.type,
                code=error.code,
                param=error.param,
                request_id=error.request_id,
                advice="Choose another model or fewer messages, and try again.",
            ) from error
        return check_id(reply.headers.get(_STORED_AS) or completion.id or "")

    def list_messages(
        self,
        completion_id: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        order: str | None = None,
        created: int | None = None,
        deadline: Deadline | None = None,
    ) -> Page[Message]:
        """List one page of a completion's messages, as sent: its input, without the answer."""
        query = build_page_query(after=after, limit=limit, order=order)
        path = completion_path(completion_id)
        request = Request("GET", f"{path}/messages", query, depends_on=path)
        decode = partial(decoding.decode_page, read=Message.from_json)
        return self._exchange(request, decode, deadline, created=created)

    def retrieve_message(
        self, completion_id: str, message_id: str, *, deadline: Deadline | None = None
    ) -> Message:
        """Retrieve one message, by two requests at any depth.

        Raises `NotFound` if the completion has no such message.
        """
        deadline = deadline or self._start_deadline()
        fetch: Fetch[Message] = partial(self.list_messages, completion_id, deadline=deadline)
        return find_page_from(message_id, fetch, limit=1).items[0]

    def every_message(
        self,
        completion_id: str,
        *,
        order: str = "asc",
        limit: int = 100,
        deadline: Deadline | None = None,
    ) -> Iterator[Page[Message]]:
        """Yield all messages, page by page; without a `deadline` each page has its own.

        Raises `BadAnswer`, after everything new, if the server only repeats itself.
        """
        return walk(
            lambda after: self.list_messages(
                completion_id, after=after, limit=limit, order=order, deadline=deadline
            ),
            limit=limit,
        )

    def is_new(self, created: int | None) -> bool:
        """Return whether a completion created at that unix time may still answer 404."""
        # Compared, not subtracted: `created` may be too large for a float.
        now = self.clock.wall()
        return created is not None and now - NEW_SECONDS <= created <= now + NEW_SECONDS

    def may_be_unfinished(self, created: int | None) -> bool:
        """Return whether the server may not list all messages of such a completion yet."""
        return created is None or created > self.clock.wall() - SETTLED_SECONDS

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def _exchange(
        self,
        request: Request,
        decode: Callable[[Document, Deadline], T],
        deadline: Deadline | None,
        *,
        created: int | None = None,
    ) -> T:
        deadline = deadline or self._start_deadline()
        answers = find_answers()
        read = partial(self.read_text, request, deadline)
        text = None
        tries_left = NEW_TRIES
        while text is None:
            try:
                text = answers.note((self, request), read) if answers else read()
            except NotFound:
                if not tries_left or not self.is_new(created) or not deadline.leaves(NEW_WAIT):
                    raise
                self.clock.sleep(NEW_WAIT)
                tries_left -= 1
        return self._decode(text, decode, deadline)

    def _decode(
        self, text: Document, decode: Callable[[Document, Deadline], T], deadline: Deadline
    ) -> T:
        """Decode an answer; an error has no key in the message of the server, and has advice."""
        try:
            return decode(text, deadline)
        except TimeoutError as error:
            # Brackets by the million take longer to parse than to receive.
            raise TimedOut(
                f"The server's answer is too much to be read in {deadline.seconds:g} seconds."
            ) from error
        except (BadAnswer, NotSupported) as error:
            error.server_message = clean_text(error.server_message, self._sender.endpoint)
            if is_html(text[:]) or isinstance(error, NotSupported):
                # The pages of many servers are at any path that is not the API's.
                error.advice = suggest_base_url(self._sender.endpoint) or error.advice
            raise

    def read_text(
        self,
        request: Request,
        deadline: Deadline,
        *,
        meanwhile: Callable[[], object] | None = None,
    ) -> Document:
        """Read the text of the answer to a request, and call `meanwhile` if there is a wait."""
        with work_meanwhile(meanwhile):
            return self._sender.send(request, deadline=deadline).text

    def _start_deadline(self) -> Deadline:
        return Deadline.after(self._limits.page_timeout, clock=self.clock)
