"""Build completions from files: conversations, requests, responses, pages of messages.

Returns JSON text on one line; every value is copied as it was written. The same parts always
make the same completion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.from_exchange import DELIVERY_FIELDS, RENAMED
from webapp.embedded.documents.records import MAX_OWN_ID_LENGTH, NotACompletion
from webapp.exact_json import (
    Member,
    Null,
    Object,
    String,
    Value,
    parse,
    write_array,
    write_object,
)
from webapp.ids import is_valid_id, split_message_id


def merge_request_response(request: Object, response: Object) -> str:
    """Add those members of the request that the response does not have itself."""
    answered = [
        member
        for member in response.members
        if member.name.text != "messages" and not isinstance(member.value, Null)
    ]
    skipped = {member.name.text for member in answered} | DELIVERY_FIELDS
    copies = list(map(copy_member, answered))
    for member in request.members:
        name = RENAMED.get(member.name.text)
        if (name or member.name.text) in skipped:
            continue
        copies.append(
            f'"{name}":{join_lines(member.value.source)}' if name else copy_member(member)
        )
    return write_object(copies)


def from_fine_tuning(example: Object) -> str:
    """Convert a fine-tuning example to a completion, with its last message as the answer."""
    *asked, answer = example.items("messages") or ()
    members = (one for one in example.members if one.name.text not in ("messages", "choices"))
    choices = f'"choices":[{{"index":0,"message":{join_lines(answer.source)}}}]'
    return write_object((write_messages(asked), *copy_members(members), choices))


def from_unanswered(conversation: Object) -> str:
    """Convert a conversation without an answer to a completion without choices."""
    members = (one for one in conversation.members if one.name.text != "choices")
    return write_object((*copy_members(members), '"choices":[]'))


def add_messages(completion: Object, messages: Iterable[Value]) -> str:
    """Add its input messages to a completion as the API returns it."""
    members = map(copy_member, completion.members)
    return write_object((*members, write_messages(messages)))


def parse_completion_id(message: Value) -> str | None:
    """Parse the completion id within a message's own id, or None if it contains none.

    Servers name a message `{completion_id}-{index}`, some `{completion_id}-msg-{index}`.
    """
    found = split_message_id(_get_id(message))
    return found[0] if found else None


def merge_pages(pages: Sequence[Object]) -> list[Value]:
    """Merge the messages of all pages, each once, in request order.

    If the message ids contain indexes, the pages may come in any order; otherwise the order of
    the pages is kept. Raise `NotACompletion` if messages are missing: they would be lost
    unnoticed.
    """
    messages = [message for page in pages for message in page.items("data") or ()]
    by_index = {
        index: message for message in messages if (index := _parse_index(message)) is not None
    }
    if len({_get_id(message) for message in messages}) != len(by_index):
        if any(page.boolean("has_more") for page in pages[-1:]):
            raise NotACompletion("its last page of messages says that there are more")
        return messages
    for expected in range(max(by_index, default=-1) + 1):
        if expected not in by_index:
            raise NotACompletion(f"its message {expected + 1} is on none of its pages")
    if any(_is_next_page_missing(page, by_index) for page in pages):
        raise NotACompletion("one of its pages says that there are more messages")
    return [by_index[index] for index in sorted(by_index)]


def _is_next_page_missing(page: Object, by_index: dict[int, Value]) -> bool:
    """Return whether a page has more in its direction, which may be either, and none follows."""
    own = [_parse_index(message) for message in page.items("data") or ()]
    if page.boolean("has_more") is not True or not own:
        return False
    last = own[-1] or 0
    return not any(index in by_index and index not in own for index in (last - 1, last + 1))


def _parse_index(message: Value) -> int | None:
    found = split_message_id(_get_id(message))
    return found[1] if found else None


def _get_id(message: Value) -> str | None:
    return message.text("id") if isinstance(message, Object) else None


def copy_members(members: Iterable[Member]) -> list[str]:
    """Copy members; an `id` that cannot be the completion's becomes `original_id`.

    Other programs number messages as they like.
    """
    return [
        f'"original_id":{join_lines(member.value.source)}'
        if member.name.text == "id" and not is_fit_id(member.value)
        else copy_member(member)
        for member in members
    ]


def is_fit_id(value: Value | None) -> bool:
    """Return whether a completion can be stored with this `id`, which may be absent or blank."""
    if value is None or isinstance(value, Null):
        return True
    text = value.text if isinstance(value, String) else "/"
    return not text.strip() or is_valid_id(text, max_length=MAX_OWN_ID_LENGTH)


def copy_member(member: Member) -> str:
    """Copy a member on one line."""
    return f"{join_lines(member.name.source)}:{join_lines(member.value.source)}"


def write_messages(messages: Iterable[Value]) -> str:
    """Write the member `messages`."""
    return f'"messages":{write_array(join_lines(message.source) for message in messages)}'


def list_choices(completion: Object) -> Object:
    """Put `choices` that are one choice, or choices by their number, into a list.

    Return other values unchanged.
    """
    found = completion.object("choices")
    if found is None or not found.members:
        return completion
    choices: list[Value] = [one.value for one in found.members]
    if any(found.get(name) is not None for name in ("message", "delta", "text")):
        choices = [found]
    elif not all(one.name.text.isdecimal() for one in found.members):
        return completion
    rest = copy_members(one for one in completion.members if one.name.text != "choices")
    written = write_array(join_lines(one.source) for one in choices)
    listed = parse(write_object([*rest, f'"choices":{written}']))
    assert isinstance(listed, Object)
    return listed
