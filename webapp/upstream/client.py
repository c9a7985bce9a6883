"""Upstream: the operations on stored chat completions, as methods that give values or raise.

Owns the API's addresses and the few calls that need more than one request. How a request
travels, is bounded and retried is in the modules beside this one; nothing here knows Flask.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from requests.adapters import BaseAdapter

from webapp.completions import Completion, Page
from webapp.config import Limits
from webapp.messages import Message
from webapp.upstream import decoding as answers
from webapp.upstream import paths
from webapp.upstream.cursors import walk
from webapp.upstream.deadline import SYSTEM_CLOCK, Clock, Deadline
from webapp.upstream.endpoint import Endpoint
from webapp.upstream.error_mapping import clean
from webapp.upstream.errors import BadAnswer, BadRequest, NotFound
from webapp.upstream.sender import Call, Sender
from webapp.upstream.transport import open_session

NEW_FOR: Final = 10.0
"""Seconds after its creation in which a completion may still answer 404."""
NEW_TRIES: Final = 3
NEW_WAIT: Final = 2.0

NO_SUCH_MESSAGE: Final = "There is no such message in this completion."
OPEN_FROM_START: Final = "Open the transcript from its start."

_MESSAGE_INDEX = re.compile(r"-(?:msg-)?([0-9]{1,9})")


class Upstream:
    """A client of one server, for many threads at once; `host` is its name for display.

    Every method raises `UpstreamError`. `deadline` bounds a call with all its retries; without
    one it is `limits.page_timeout` from now. `pool_size` is how many connections are kept; the
    number of threads is a good value. `created`, in unix seconds, is when the reader's
    completion was made: while it is new, a 404 is tried again, since the API gives a completion
    out only some seconds after it was created.
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
        self._limits = limits or Limits()
        self._clock = clock
        self._session = open_session(
            transport=transport,
            pool_size=pool_size,
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
        deadline: Deadline | None = None,
    ) -> Page[Completion]:
        """One page of completions; blank filters are not sent."""
        query = paths.page_query(
            after=after, limit=limit, order=order, model=model, metadata=metadata
        )
        deadline = deadline or self._deadline()
        text = self._sender.send(Call("GET", paths.COMPLETIONS, query), deadline=deadline)
        with self._reading():
            return answers.page(text, Completion.from_json, deadline=deadline)

    def retrieve_completion(
        self,
        completion_id: str,
        *,
        created: int | None = None,
        deadline: Deadline | None = None,
    ) -> Completion:
        """One completion as stored."""
        deadline = deadline or self._deadline()
        call = Call("GET", paths.completion(completion_id))
        text = self._send_when_stored(call, created, deadline)
        with self._reading():
            return answers.completion(text, deadline=deadline)

    def update_completion(
        self,
        completion_id: str,
        *,
        metadata: Mapping[str, str],
        deadline: Deadline | None = None,
    ) -> Completion:
        """The completion with its new metadata."""
        deadline = deadline or self._deadline()
        body = json.dumps({"metadata": dict(metadata)}).encode()
        call = Call("POST", paths.completion(completion_id), body=body)
        text = self._sender.send(call, deadline=deadline)
        with self._reading():
            return answers.completion(text, deadline=deadline)

    def delete_completion(self, completion_id: str, *, deadline: Deadline | None = None) -> None:
        """Deletes the completion. Raises `NotFound` when there was none."""
        deadline = deadline or self._deadline()
        call = Call("DELETE", paths.completion(completion_id))
        text = self._sender.send(call, deadline=deadline)
        with self._reading():
            answers.check_deletion(text, deadline=deadline)

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
        """One page of a completion's messages: its input, without the answer."""
        deadline = deadline or self._deadline()
        query = paths.page_query(after=after, limit=limit, order=order)
        call = Call("GET", paths.messages(completion_id), query)
        text = self._send_when_stored(call, created, deadline)
        with self._reading():
            return answers.page(text, Message.from_json, deadline=deadline)

    def retrieve_message(
        self, completion_id: str, message_id: str, *, deadline: Deadline | None = None
    ) -> Message:
        """One message, in two calls at any depth, since the API has none for it.

        What comes before it in descending order is its predecessor, and what follows that is
        the message. Raises `NotFound` when the server has another message there.
        """
        deadline = deadline or self._deadline()
        before = self._before(completion_id, message_id, deadline)
        cursor = before.data[0].id if before.data else None
        page = self.list_messages(
            completion_id, after=cursor, limit=1, order="asc", deadline=deadline
        )
        # A server that ignores cursors has given all messages each time.
        for message in (*page.data, *before.data):
            if message.id == message_id:
                return message
        raise NotFound(NO_SUCH_MESSAGE, advice=OPEN_FROM_START)

    def every_message(
        self,
        completion_id: str,
        *,
        order: str = "asc",
        limit: int = 100,
        deadline: Deadline | None = None,
    ) -> Iterator[Page[Message]]:
        """All messages, page by page; without a `deadline` each page has its own.

        Raises `BadAnswer`, after all that is new, when the server only repeats itself.
        """
        return walk(
            lambda after: self.list_messages(
                completion_id, after=after, limit=limit, order=order, deadline=deadline
            )
        )

    def count_messages(self, completion_id: str, *, deadline: Deadline | None = None) -> int | None:
        """How many messages there are, by one call; None when the server's answer cannot tell.

        Taken from `total`, else from the index in the newest message's id.
        """
        page = self.list_messages(completion_id, limit=1, order="desc", deadline=deadline)
        if page.total is not None:
            return page.total
        if len(page.data) != 1:
            return None if page.has_more else len(page.data)
        return _count_by_index(completion_id, page)

    def close(self) -> None:
        """Closes the kept connections."""
        self._session.close()

    def _before(self, completion_id: str, message_id: str, deadline: Deadline) -> Page[Message]:
        """The message in front of `message_id`, or none. Raises `NotFound`."""
        try:
            return self.list_messages(
                completion_id, after=message_id, limit=1, order="desc", deadline=deadline
            )
        except BadRequest as error:
            raise NotFound(
                NO_SUCH_MESSAGE, server_message=error.server_message, advice=OPEN_FROM_START
            ) from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Takes the key out of what an answer says that is not of the API's form."""
        try:
            yield
        except BadAnswer as error:
            error.server_message = clean(error.server_message, self._sender.endpoint)
            raise

    def _deadline(self) -> Deadline:
        return Deadline.after(self._limits.page_timeout, clock=self._clock)

    def _send_when_stored(self, call: Call, created: int | None, deadline: Deadline) -> str:
        for _ in range(NEW_TRIES):
            try:
                return self._sender.send(call, deadline=deadline)
            except NotFound:
                if not self._is_new(created) or not deadline.leaves(NEW_WAIT):
                    raise
            self._clock.sleep(NEW_WAIT)
        return self._sender.send(call, deadline=deadline)

    def _is_new(self, created: int | None) -> bool:
        return created is not None and abs(self._clock.wall() - created) <= NEW_FOR


def _count_by_index(completion_id: str, page: Page[Message]) -> int | None:
    """The count that the one message of `page`, said to be the newest, implies.

    Ids of the form `{completion_id}-{index}` or `{completion_id}-msg-{index}` count from 0. A
    server that ignores the order gives the oldest in place of the newest; then `has_more` and
    the index contradict each other.
    """
    newest = page.data[0].id or ""
    match = _MESSAGE_INDEX.fullmatch(newest.removeprefix(completion_id))
    if match is None:
        return None
    index = int(match[1])
    is_doubtful = page.has_more is not None and page.has_more != (index > 0)
    return None if is_doubtful else index + 1
