"""Completions put together from what was kept in pieces: requests, responses, messages.

Text in, text out, in one line; every value is copied as it was written. What is made here is
read like any other given completion, so the same pieces always make the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from webapp.embedded.documents.api_json import one_line
from webapp.embedded.documents.from_exchange import DELIVERY_FIELDS, RENAMED
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Member, Null, Object, Value
from webapp.ids import split_message_id


def answered(request: Object, response: Object) -> str:
    """A request with its response: all that the response says, and what it leaves unsaid."""
    members = [member for member in response.members if _says(member)]
    said = {member.name.text for member in members} | DELIVERY_FIELDS
    asked = (member for member in request.members if _stored_name(member) not in said)
    return "{" + ",".join((*map(_copy, members), *map(_stored, asked))) + "}"


def from_fine_tuning(example: Object) -> str:
    """A fine-tuning example: its last message is the answer."""
    *asked, answer = example.items("messages") or ()
    members = (member for member in example.members if member.name.text != "messages")
    choices = f'"choices":[{{"index":0,"message":{one_line(answer.source)}}}]'
    return "{" + ",".join((_messages(asked), *map(_copy, members), choices)) + "}"


def with_messages(completion: Object, messages: Iterable[Value]) -> str:
    """A completion as the API gives it back, with its input messages."""
    return "{" + ",".join((*map(_copy, completion.members), _messages(messages))) + "}"


def named_completion(message: Value) -> str | None:
    """The id of the completion that a message's own id names; None when it names none.

    Servers name a message `{completion_id}-{index}`, some `{completion_id}-msg-{index}`.
    """
    found = split_message_id(_id(message))
    return found[0] if found else None


def merge_pages(pages: Sequence[Object]) -> list[Value]:
    """The messages of all pages, each once, in request order. Raises `NotACompletion`.

    Pages may come in any order where the ids count; elsewhere theirs is taken. Messages that
    are missing would be lost unnoticed, so a gap is an error.
    """
    messages = [message for page in pages for message in page.items("data") or ()]
    by_index = {index: message for message in messages if (index := _index(message)) is not None}
    if len({_id(message) for message in messages}) != len(by_index):
        if any(page.boolean("has_more") for page in pages[-1:]):
            raise NotACompletion("its last page of messages says that there are more")
        return messages
    for expected in range(max(by_index, default=-1) + 1):
        if expected not in by_index:
            raise NotACompletion(f"its message {expected + 1} is on none of its pages")
    if any(_is_followed_by_nothing(page, by_index) for page in pages):
        raise NotACompletion("one of its pages says that there are more messages")
    return [by_index[index] for index in sorted(by_index)]


def _is_followed_by_nothing(page: Object, by_index: dict[int, Value]) -> bool:
    """Whether a page promises more in its direction, which may be either, and none is there."""
    own = {_index(message) for message in page.items("data") or ()}
    if page.boolean("has_more") is not True or not own:
        return False
    last = _index((page.items("data") or ())[-1]) or 0
    return not any(next_ in by_index and next_ not in own for next_ in (last - 1, last + 1))


def _id(message: Value) -> str | None:
    return message.text("id") if isinstance(message, Object) else None


def _index(message: Value) -> int | None:
    found = split_message_id(_id(message))
    return found[1] if found else None


def _says(member: Member) -> bool:
    return not isinstance(member.value, Null) and member.name.text != "messages"


def _stored(asked: Member) -> str:
    """A member of a request under the name the stored completion has for it."""
    name = RENAMED.get(asked.name.text)
    return f'"{name}":{one_line(asked.value.source)}' if name else _copy(asked)


def _stored_name(asked: Member) -> str:
    return RENAMED.get(asked.name.text, asked.name.text)


def _copy(member: Member) -> str:
    return f"{one_line(member.name.source)}:{one_line(member.value.source)}"


def _messages(messages: Iterable[Value]) -> str:
    return f'"messages":[{",".join(one_line(message.source) for message in messages)}]'
