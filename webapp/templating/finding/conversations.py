"""The place of a completion in its conversation, for the transcript and the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from webapp.addresses.building import url_for
from webapp.caching.inputs import read_input, spoil_page
from webapp.conversations import Conversation, StoredRequest
from webapp.services import services

MAX_RANGE = 100
"""Messages in a link to those that are new; the range of a page has no more."""

MAX_NOTED = 200
"""Requests of conversations that are held to compare a page with; a page of more is not kept."""


@dataclass(frozen=True, slots=True)
class ConversationPlace:
    """One request of a conversation that has others.

    `cleared` counts the messages whose results its client cleared since the previous one.
    """

    conversation: Conversation
    request: StoredRequest
    cleared: int = 0

    @property
    def number(self) -> int:
        return self.conversation.number(self.request)

    @property
    def previous(self) -> StoredRequest | None:
        """The request that this one continues, else the one before it in time."""
        parent = self.conversation.parent_of(self.request)
        at = self.number - 2
        return parent or (self.conversation.requests[at] if at >= 0 else None)

    @property
    def next(self) -> StoredRequest | None:
        """The latest request that continues this one, else the one after it in time."""
        children = self.conversation.children_of(self.request)
        if children:
            return children[-1]
        following = self.conversation.requests[self.number :]
        return following[0] if following else None

    @property
    def branches(self) -> Sequence[tuple[str, StoredRequest]]:
        """The other requests that continue the same one, each a `retry` or an `edit`.

        Requests that continue none and ask something else are conversations joined by metadata.
        """
        parent = self.conversation.parent_of(self.request)
        found = []
        for other in self.conversation.others_beside(self.request):
            if self.conversation.is_retry(self.request, other):
                found.append(("retry", other))
            elif parent is not None:
                found.append(("edit", other))
        return found

    @property
    def new_from(self) -> int | None:
        """The number of the first message that the previous request does not have, from 1.

        None if this one continues none, or has no new messages.
        """
        request = self.request
        has_new = request.parent is not None and request.added > 0 and request.inherited > 0
        return request.inherited + 1 if has_new else None

    @property
    def fits_in_range(self) -> bool:
        """Whether a page can show the new messages alone."""
        return self.request.added <= MAX_RANGE


def find_conversation_place(completion_id: str) -> ConversationPlace | None:
    """Find the place of a completion in its conversation; None if it is alone, or not known."""
    source = services().conversations
    if source is None:
        return None
    found = read_input(partial(source.find_continued, [completion_id]))
    conversation = found.get(completion_id)
    request = conversation.find(completion_id) if conversation else None
    if conversation is None or request is None:
        return None
    if len(conversation.requests) > MAX_NOTED:
        spoil_page()
    cleared = 0
    if request.parent and request.inherited and not request.repeats:
        # The messages of both stay the same as long as the conversation does.
        difference = source.find_prompt_difference(request.parent, completion_id)
        cleared = difference.cleared if difference else 0
    return ConversationPlace(conversation, request, cleared)


def conversation_url(completion_id: str, *, first: int | None = None) -> str:
    """Return the address of the conversation that a completion belongs to."""
    return url_for("conversations.show", completion_id=completion_id, first=first)
