"""Build completions from the conversations of a data export of claude.ai, `conversations.json`.

A message of the assistant holds its calls and their results; each result becomes a message after
the call. Newer exports have branches, as editing a question begins one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
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
from webapp.embedded.documents.other_apis.writing import copy, copy_rest, write
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Object, Value, write_array, write_object

_ROLES: Final = {"human": "user"}
_OWN: Final = frozenset({"chat_messages", "uuid", "created_at", "current_leaf_message_uuid"})
_OF_MESSAGE: Final = frozenset(
    {"uuid", "sender", "text", "content", "attachments", "parent_message_uuid"}
)
_OF_BLOCK: Final = {
    "text": ("type", "text", "citations"),
    "thinking": ("type", "thinking", "signature"),
    "tool_use": ("type", "id", "name", "input"),
    "tool_result": ("type", "tool_use_id", "content", "is_error"),
}
"""The members of content blocks that the API has; of other types all of them are kept."""


def is_claude_conversation(value: Object) -> bool:
    """Return whether `value` is a conversation of a data export of claude.ai."""
    messages = value.items("chat_messages")
    return messages is not None and all(
        isinstance(one, Object) and one.text("sender") is not None for one in messages
    )


def from_claude(conversation: Object) -> Iterator[str]:
    """Yield the branch that was shown last, then the others, each as a completion.

    Raise `NotACompletion` if there is no message, or when the branches are too large together.
    """
    found = [one for one in conversation.items("chat_messages") or () if isinstance(one, Object)]
    if not found:
        raise NotACompletion("it has no messages")
    nodes = {name: one for one in found if (name := one.text("uuid"))}
    parents = {one.text("parent_message_uuid") for one in found}
    if len(nodes) < len(found) or nodes.keys().isdisjoint(parents - {None}):
        yield _write_branch(conversation, found, "")
        return
    shown = conversation.text("current_leaf_message_uuid")
    if shown not in nodes:
        shown = list(nodes)[-1]
    leaves = dict.fromkeys([shown, *(one for one in nodes if one not in parents)])
    yield from limit_branches(
        _write_branch(
            conversation,
            list_branch(nodes, leaf, lambda name: nodes[name].text("parent_message_uuid")),
            "" if leaf == shown else leaf,
        )
        for leaf in leaves
    )


def _write_branch(conversation: Object, messages: Sequence[Object], leaf: str) -> str:
    members = [*copy_rest(conversation, _OWN), *write_id(conversation.text("uuid"), leaf)]
    created = copy(conversation.get("created_at"))
    members += [f'"created":{created}'] if created else []
    written = [one for message in messages for one in _write_message(message)]
    return write_completion(members, written)


def _write_message(message: Object) -> Iterator[Message]:
    """Yield the message, and one for each run of results in it."""
    sender = message.text("sender") or ""
    role = _ROLES.get(sender, sender)
    blocks: Sequence[Value] = message.items("content") or ()
    by_kind = groupby(
        blocks, lambda one: isinstance(one, Object) and one.text("type") == "tool_result"
    )
    runs = [(is_result, list(run)) for is_result, run in by_kind]
    rest = write_rest(message, _OF_MESSAGE)
    if blocks and not _is_repeated(message.text("text") or "", blocks):
        rest += write_rest(message, set(message.names()) - {"text"})
    own_id = copy(message.get("uuid"))
    attached = [_write_attachment(one) for one in message.items("attachments") or ()]
    if not runs:
        text = copy(message.get("text"))
        parts = [write(type='"text"', text=text)] if text and attached else []
        content = write_array([*parts, *attached]) if attached else text or "null"
        members = [f'"id":{own_id}'] if own_id else []
        yield write_message(role, [*members, f'"content":{content}'], "claude", rest)
        return
    for at, (is_result, run) in enumerate(runs):
        written = [_write_block(one) for one in run]
        parts = [block for block, _ in written] + (attached if at == 0 else [])
        kept = [others for _, others in written]
        others = [f'"content":{write_array(map(write_object, kept))}'] if any(kept) else []
        members = [f'"id":{own_id}'] if own_id and at == 0 else []
        members.append(f'"content":{write_array(parts)}')
        rest, given = [], rest
        yield write_message("user" if is_result else role, members, "claude", [*given, *others])


def _write_block(block: Value) -> tuple[str, list[str]]:
    """Write a content block with the members that the API has, and list its other members."""
    known = _OF_BLOCK.get(block.text("type") or "") if isinstance(block, Object) else None
    if not isinstance(block, Object) or known is None:
        return copy(block) or "null", []
    is_cited = bool(block.items("citations"))
    names = [name for name in known if name != "citations" or is_cited]
    return write(**{name: copy(block.get(name)) for name in names}), write_rest(block, known)


def _write_attachment(attachment: Value) -> str:
    """Write a file that was attached as a document with the text that was extracted from it."""
    text = copy(attachment.get("extracted_content")) if isinstance(attachment, Object) else None
    if not isinstance(attachment, Object) or text is None:
        return copy(attachment) or "null"
    source = write(type='"text"', media_type='"text/plain"', data=text)
    title = copy(attachment.get("file_name"))
    known = {"extracted_content", "file_name"}
    document = write(type='"document"', title=title, source=source)
    return write_object([document[1:-1], *write_rest(attachment, known)])


def _is_repeated(text: str, blocks: Iterable[Value]) -> bool:
    """Return whether `text` is that of the blocks, as it is in exports beside them."""
    said = [one.text("text") or "" for one in blocks if isinstance(one, Object)]
    return "".join(text.split()) in ("", "".join("".join(said).split()))
