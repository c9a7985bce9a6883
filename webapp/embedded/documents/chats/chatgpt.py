"""Build completions from the conversations of a ChatGPT data export, `conversations.json`.

A conversation is a tree of messages: editing a question or asking for another answer begins a
branch. The branch that was shown last becomes a completion, and each other one too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.chats.writing import (
    Message,
    limit_branches,
    list_branch,
    write_completion,
    write_id,
)
from webapp.embedded.documents.from_files import copy_member, copy_members
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Array, Null, Object, String, Value, write_array, write_object

_NO_TEXT: Final = frozenset({"language", "response_format_name"})
_OF_THOUGHT: Final = {"summary": String, "content": String}
_OWN_FIELDS: Final = ("author", "content", "id")


def from_chatgpt(conversation: Object) -> Iterator[str]:
    """Yield the branch that was shown last, then the others, each as a completion.

    Raise `NotACompletion` if there is no message, or when the branches are too large together.
    """
    mapping = conversation.object("mapping")
    assert mapping is not None
    nodes = {one.name.text: one.value for one in mapping.members if isinstance(one.value, Object)}
    parents = {node.text("parent") for node in nodes.values()}
    leaves = [name for name in nodes if name not in parents]
    shown = conversation.text("current_node")
    if shown not in nodes:
        shown = leaves[-1] if leaves else None
    branches = (
        _write_branch(conversation, messages, None if leaf == shown else leaf)
        for leaf in dict.fromkeys([shown, *leaves])
        if (messages := list(_collect_messages(nodes, leaf)))
    )
    found = 0
    for text in limit_branches(branches):
        found += 1
        yield text
    if not found:
        raise NotACompletion("it has no messages")


def _collect_messages(nodes: Mapping[str, Object], leaf: str | None) -> Iterator[Object]:
    """Yield the messages from the first to the one at `leaf`, without empty instructions."""
    for node in list_branch(nodes, leaf, lambda name: nodes[name].text("parent")):
        message = node.object("message")
        if message is None:
            continue
        content = message.object("content")
        parts = content.items("parts") if content else ()
        is_empty = parts is not None and all(
            isinstance(part, String) and not part.text.strip() for part in parts
        )
        if not is_empty or _get_role(message) != "system":
            yield message


def _write_branch(conversation: Object, messages: list[Object], leaf: str | None) -> str:
    """Write the completion of a branch, under the conversation's id and that of its `leaf`."""
    own = [one for one in conversation.members if one.name.text not in ("mapping", "id")]
    members = copy_members(own)
    own_id = conversation.text("conversation_id") or conversation.text("id") or ""
    members += write_id(own_id, leaf or "")
    names = conversation.names()
    created = conversation.get("create_time")
    if created is not None and "created" not in names:
        members.append(f'"created":{join_lines(created.source)}')
    model = _find_model(conversation, messages)
    if model is not None and "model" not in names:
        members.append(f'"model":{model.source}')
    return write_completion(members, list(_write_messages(messages)))


def _find_model(conversation: Object, messages: list[Object]) -> Value | None:
    """Find the model of the last message that names one, or else the conversation's."""
    for message in reversed(messages):
        metadata = message.object("metadata")
        if metadata is not None and metadata.text("model_slug"):
            return metadata.get("model_slug")
    found = conversation.get("default_model_slug")
    return None if isinstance(found, Null) else found


def _write_messages(messages: list[Object]) -> Iterator[Message]:
    """Yield the messages in the API's form, with all that it lacks in the member `chatgpt`."""
    calls: dict[str, str] = {}
    for message in messages:
        role = _get_role(message)
        own_id = message.text("id") or ""
        members = [f'"id":{json.dumps(own_id)}'] if own_id else []
        members.append(f'"role":{json.dumps(role)}')
        author = message.object("author")
        name = (author.text("name") if author else None) or ""
        recipient = message.text("recipient") or "all"
        content = message.get("content")
        is_sent_to_tool = role == "assistant" and recipient != "all"
        code = _find_text(content) if is_sent_to_tool else None
        if code is not None:
            call_id = calls[recipient] = own_id or f"call_{len(calls)}"
            custom = f'{{"name":{json.dumps(recipient)},"input":{code.source}}}'
            call = f'{{"id":{json.dumps(call_id)},"type":"custom","custom":{custom}}}'
            members += ['"content":null', f'"tool_calls":[{call}]']
        else:
            members.append(_write_content(content))
        if name:
            members.append(f'"name":{json.dumps(name)}')
        if role == "tool" and name in calls:
            members.append(f'"tool_call_id":{json.dumps(calls[name])}')
        others = [
            copy_member(one)
            for one in message.members
            if one.name.text not in _OWN_FIELDS and not isinstance(one.value, Null)
        ]
        others += _write_rest(message, is_call=code is not None)
        members += [f'"chatgpt":{write_object(others)}'] if others else []
        yield Message(role, write_object(members))


def _get_role(message: Object) -> str:
    author = message.object("author")
    return (author.text("role") if author else None) or "user"


def _find_text(content: Value | None) -> String | None:
    """Find the text of a `content` that has only one, in `text` or in `parts`."""
    if not isinstance(content, Object):
        return None
    parts = content.items("parts")
    text = parts[0] if parts is not None and len(parts) == 1 else content.get("text")
    return text if isinstance(text, String) else None


def _write_rest(message: Object, *, is_call: bool) -> list[str]:
    """Write the members of `author` and `content` that are not written elsewhere."""
    rest = []
    author, content = message.object("author"), message.object("content")
    if author is not None:
        found = [
            copy_member(one)
            for one in author.find_unread(role=String, name=String)
            if one.value.source not in ("{}", "[]", '""')
        ]
        rest += [f'"author":{write_object(found)}'] if found else []
    if content is not None:
        thoughts = content.items("thoughts")
        members = content.find_unread(content_type=String, text=String, parts=Array)
        is_written = not (is_call or thoughts is not None)
        found = [
            copy_member(one)
            for one in members
            if one.name.text in _NO_TEXT or not (is_written or one.name.text == "thoughts")
        ]
        states = [
            write_object(map(copy_member, one.find_unread(**_OF_THOUGHT)))
            for one in thoughts or ()
            if isinstance(one, Object)
        ]
        found += [f'"thoughts":{write_array(states)}'] if any(one != "{}" for one in states) else []
        rest += [f'"content":{write_object(found)}'] if found else []
    return rest


def _write_content(content: Value | None) -> str:
    """Write `content`, or `reasoning_content` if it is a thought of the model."""
    if not isinstance(content, Object):
        return f'"content":{join_lines(content.source) if content else "null"}'
    names = set(content.names())
    parts = content.items("parts")
    if parts is not None and names <= {"content_type", "parts"}:
        if len(parts) == 1 and isinstance(parts[0], String):
            return f'"content":{join_lines(parts[0].source)}'
        return f'"content":{write_array(map(_write_part, parts))}'
    for name, target in (("text", "content"), ("content", "reasoning_content")):
        text = content.get(name)
        others = names - _NO_TEXT - {"content_type", name}
        if isinstance(text, String) and not others:
            return f'"{target}":{join_lines(text.source)}'
    thoughts = content.items("thoughts")
    if thoughts is not None:
        said = [
            "\n\n".join(filter(None, (one.text("summary"), one.text("content"))))
            for one in thoughts
            if isinstance(one, Object)
        ]
        reasoning = json.dumps("\n\n".join(filter(None, said)))
        return f'"content":null,"reasoning_content":{reasoning}'
    return f'"content":[{_write_part(content)}]'


def _write_part(part: Value) -> str:
    if isinstance(part, String):
        return f'{{"type":"text","text":{join_lines(part.source)}}}'
    if isinstance(part, Object) and part.get("type") is None and part.text("content_type"):
        kind = part.get("content_type")
        assert kind is not None
        members = [copy_member(one) for one in part.members if one.name.text != "content_type"]
        return write_object([f'"type":{kind.source}', *members])
    return join_lines(part.source)


def is_chatgpt_conversation(value: Object) -> bool:
    """Return whether `value` is a conversation of a ChatGPT data export."""
    mapping = value.object("mapping")
    return mapping is not None and not isinstance(value.get("messages"), Array)
