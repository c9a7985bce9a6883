"""Write completions and messages as they were given, for readers that want the original.

The API's form of them has members that nobody gave: a temperature of 1.0, parts of null members.
Only the id is added here, because a reader could not ask for anything without it; a message that
is not an object becomes a member of ours beside that id.
"""

from __future__ import annotations

import re
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.exact_json import Object, parse
from webapp.messages import BARE

_ID: Final = re.compile(r'"(?:i|\\u0069)(?:d|\\u0064)"')
"""The name `id`, as it can be written in JSON."""


def write_given_completion(head: str, completion_id: str) -> str:
    """Write the completion in `head` under its stored id, without its input messages."""
    return _write_with_id(head, completion_id, without="messages")


def write_given_message(given_json: str, message_id: str) -> str:
    """Write a message under its stored id, which makes an object of any other value."""
    text = join_lines(given_json).strip()
    if not text.startswith("{"):
        return f'{{"id":"{message_id}","{BARE}":{text}}}'
    if _ID.search(text):
        return _write_with_id(text, message_id)
    rest = text[1:].lstrip()
    return f'{{"id":"{message_id}"{"" if rest.startswith("}") else ","}{rest}'


def _write_with_id(text: str, own_id: str, *, without: str | None = None) -> str:
    """Write the object in `text` with this id, which replaces the one in it."""
    value = parse(text)
    assert isinstance(value, Object)
    members = [member for member in value.members if member.name.text != without]
    has_own = value.text("id") == own_id
    if not has_own:
        members = [member for member in members if member.name.text != "id"]
    copies = [f"{member.name.source}:{member.value.source}" for member in members]
    return "{" + ",".join(copies if has_own else [f'"id":"{own_id}"', *copies]) + "}"
