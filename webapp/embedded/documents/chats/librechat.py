"""Build completions from the conversations that LibreChat exports as JSON.

Messages name their parents, or hold their `children`. The last branch becomes a completion, and
each other one too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from webapp.embedded.documents.chats.writing import (
    Message,
    limit_branches,
    list_branch,
    write_completion,
    write_id,
    write_message,
    write_rest,
)
from webapp.embedded.documents.other_apis.writing import copy, copy_rest
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Object, Value

_PARENT: Final = "parentMessageId"
_OF_MESSAGE: Final = frozenset(
    {"messageId", _PARENT, "text", "content", "isCreatedByUser", "children"}
)
_OWN: Final = frozenset({"messages", "messagesTree", "conversationId"})


def is_librechat_conversation(value: Object) -> bool:
    """Return whether `value` is an export of LibreChat."""
    messages = value.items("messages") or value.items("messagesTree")
    return bool(messages) and all(
        isinstance(one, Object)
        and one.text("messageId") is not None
        and one.boolean("isCreatedByUser") is not None
        for one in messages or ()
    )


def from_librechat(conversation: Object) -> Iterator[str]:
    """Yield the branch of the last message, then the others, each as a completion.

    Raise `NotACompletion` if no message has an id, or when the branches are too large together.
    """
    roots = conversation.items("messages") or conversation.items("messagesTree") or ()
    waiting: list[tuple[Value, str | None]] = [(one, None) for one in reversed(roots)]
    nodes: dict[str, Object] = {}
    parents: dict[str, str] = {}
    while waiting:
        message, above = waiting.pop()
        name = message.text("messageId") if isinstance(message, Object) else None
        if isinstance(message, Object) and name:
            nodes[name] = message
            parents[name] = above or message.text(_PARENT) or ""
            children = message.items("children") or ()
            waiting += [(one, name) for one in reversed(children)]
    if not nodes:
        raise NotACompletion("its messages have no ids")
    inner = set(parents.values())
    leaves = [name for name in nodes if name not in inner] or list(nodes)[-1:]
    shown = leaves[-1]
    yield from limit_branches(
        _write_branch(
            conversation, list_branch(nodes, leaf, parents.get), "" if leaf == shown else leaf
        )
        for leaf in dict.fromkeys([shown, *leaves])
    )


def _write_branch(conversation: Object, messages: Sequence[Object], leaf: str) -> str:
    members = [*copy_rest(conversation, _OWN), *write_id(conversation.text("conversationId"), leaf)]
    names = conversation.names()
    times = (copy(one.get("createdAt")) for one in reversed(messages))
    created = next(filter(None, times), None)
    members += [f'"created":{created}'] if created and "created" not in names else []
    models = (
        copy(one.get("model")) for one in reversed(messages) if not one.boolean("isCreatedByUser")
    )
    model = next(filter(None, models), None)
    members += [f'"model":{model}'] if model and "model" not in names else []
    return write_completion(members, [_write_message(one) for one in messages])


def _write_message(message: Object) -> Message:
    role = "user" if message.boolean("isCreatedByUser") else "assistant"
    own_id, text = copy(message.get("messageId")), message.get("text")
    content = copy(text) if message.text("text") or not message.items("content") else None
    rest = write_rest(message, _OF_MESSAGE)
    if content is None:
        content = copy(message.get("content"))
    elif message.items("content"):
        rest.append(f'"content":{copy(message.get("content"))}')
    return write_message(
        role, [f'"id":{own_id}', f'"content":{content or "null"}'], "librechat", rest
    )
