"""Build completions from the chats that Open WebUI exports.

A chat is a tree of messages: each answer that was asked for again begins a branch. The branch that
was shown last becomes a completion, and each other one too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.chats.writing import limit_branches, list_branch
from webapp.embedded.documents.from_files import copy_member, copy_members
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Null, Object, String, write_array, write_object
from webapp.ids import is_valid_id

_MAX_ID_LENGTH: Final = 100
_OWN_FIELDS: Final = frozenset({"id", "role", "content", "parentId", "childrenIds", "files"})
_OF_CHAT: Final = ("history", "messages", "id", "system")
_USAGES: Final = ("usage", "info")


def is_open_webui_chat(value: Object) -> bool:
    """Return whether `value` is a chat of an export of Open WebUI, or the `chat` of one."""
    chat = value.object("chat") or value
    history = chat.object("history")
    if history is None and chat is not value:
        return bool(chat.items("messages")) and value.get("messages") is None
    found = history.object("messages") if history else None
    return found is not None and (chat is not value or bool(found.members))


def from_open_webui(value: Object) -> Iterator[str]:
    """Yield the branch that was shown last, then the others, each as a completion.

    Raise `NotACompletion` if there is no message, or when the branches are too large together.
    """
    chat = value.object("chat") or value
    history = chat.object("history")
    found = history.object("messages") if history else None
    if found is None:
        listed = [one for one in chat.items("messages") or () if isinstance(one, Object)]
        yield _write_branch(value, chat, listed, None)
        return
    assert history is not None
    nodes = {one.name.text: one.value for one in found.members if isinstance(one.value, Object)}
    parents = {node.text("parentId") for node in nodes.values()}
    leaves = [name for name in nodes if name not in parents]
    shown = history.text("currentId")
    if shown not in nodes:
        shown = leaves[-1] if leaves else None

    def write_branches() -> Iterator[str]:
        for leaf in dict.fromkeys([shown, *leaves]):
            messages = list_branch(nodes, leaf, lambda name: nodes[name].text("parentId"))
            if not messages:
                raise NotACompletion("it has no messages")
            yield _write_branch(value, chat, messages, None if leaf == shown else leaf)

    yield from limit_branches(write_branches())


def _write_branch(value: Object, chat: Object, messages: Sequence[Object], leaf: str | None) -> str:
    """Return the completion of a branch, under the chat's id and that of its `leaf`."""
    used = {"chat", "id", "created_at", *(_OF_CHAT if value is chat else ())}
    own = [one for one in value.members if one.name.text not in used]
    names = {one.name.text for one in own}
    own += [one for one in chat.members if one.name.text not in {*names, *_OF_CHAT}]
    members = copy_members(own)
    own_id = value.text("id") or chat.text("id") or ""
    completion_id = own_id if leaf is None else f"{own_id}:{leaf}"
    if own_id and is_valid_id(completion_id, max_length=2 * _MAX_ID_LENGTH):
        members.append(f'"id":"{completion_id}"')
    elif own_id:
        members.append(f'"original_id":{json.dumps(own_id)}')
    *asked, last = messages
    created = last.get("timestamp") or value.get("created_at")
    if created is not None and not isinstance(created, Null):
        members.append(f'"created":{join_lines(created.source)}')
    model = next((one.get("model") for one in reversed(messages) if one.text("model")), None)
    if model is not None:
        members.append(f'"model":{model.source}')
    system = chat.get("system")
    written = []
    if isinstance(system, String) and system.text:
        written.append(f'{{"role":"system","content":{join_lines(system.source)}}}')
    choices = []
    if last.text("role") == "assistant":
        choices.append(f'{{"index":0,"message":{_write_message(last)}}}')
        usage = next(filter(None, map(last.object, _USAGES)), None)
        members += [f'"usage":{join_lines(usage.source)}'] if usage else []
    else:
        asked = list(messages)
    written += map(_write_message, asked)
    members += [f'"messages":{write_array(written)}', f'"choices":{write_array(choices)}']
    return write_object(members)


def _write_message(message: Object) -> str:
    """Write a message with its images as parts, and other members in `open_webui`."""
    members = [copy_member(one) for one in message.members if one.name.text in ("id", "role")]
    files = message.items("files") or ()
    images = [one for one in files if isinstance(one, Object) and one.text("type") == "image"]
    content = message.get("content")
    text = join_lines(content.source) if content is not None else "null"
    if images:
        has_text = isinstance(content, String) and content.text
        parts = [f'{{"type":"text","text":{text}}}'] if has_text else []
        for image in images:
            url = image.get("url")
            address = join_lines(url.source) if isinstance(url, String) else "null"
            parts.append(f'{{"type":"image_url","image_url":{{"url":{address}}}}}')
        text = write_array(parts)
    members.append(f'"content":{text}')
    others = [
        copy_member(one)
        for one in message.members
        if one.name.text not in _OWN_FIELDS and not isinstance(one.value, Null)
    ]
    rest = [join_lines(one.source) for one in files if one not in images]
    others += [f'"files":{write_array(rest)}'] if rest else []
    members += [f'"open_webui":{write_object(others)}'] if others else []
    return write_object(members)
