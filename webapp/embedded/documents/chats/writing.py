"""Write messages of a program, and the completion that they make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.from_files import copy_member
from webapp.embedded.documents.other_apis.writing import copy, write, write_choice, write_content
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Array, Member, Null, Object, String, Value, write_array, write_object
from webapp.ids import is_valid_id

_MAX_ID_LENGTH: Final = 200
_MAX_BRANCHES: Final = 64 * 1024 * 1024
"""The most characters of the branches of one conversation: they repeat their common messages."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as JSON on one line, with its role."""

    role: str
    json: str


def write_message(role: str, members: Iterable[str], name: str, rest: Iterable[str]) -> Message:
    """Write a message; `rest` are the members that the API lacks, in the member `name`."""
    others = list(rest)
    kept = [f'"{name}":{write_object(others)}'] if others else []
    return Message(role, write_object([f'"role":{json.dumps(role)}', *members, *kept]))


@dataclass(slots=True)
class Segment:
    """A message in pieces, and the results after it; `kept` holds members that the API lacks."""

    parts: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    results: list[Message] = field(default_factory=list)

    def keep(self, part: Object, used: Iterable[str]) -> None:
        """Keep the type of `part` with its members of other names than `used`, if it has any."""
        rest = write_rest(part, used)
        if rest:
            kind = copy(part.get("type"))
            self.kept.append(write_object([*([f'"type":{kind}'] if kind else []), *rest]))


def write_segments(
    role: str,
    segments: Iterable[Segment],
    name: str,
    rest: Iterable[str],
    *,
    kept_as: str,
    own_id: str | None = None,
) -> Iterator[Message]:
    """Yield the message of each segment, and its results.

    The first has the `rest` of the members and the id. One with results alone has no message.
    """
    first = [f'"id":{own_id}'] if own_id else []
    others = list(rest)
    for segment in segments:
        others += [f'"{kept_as}":{write_array(segment.kept)}'] if segment.kept else []
        is_empty_beside = not (segment.parts or segment.calls or segment.sources or others)
        if not (segment.results and is_empty_beside):
            content = write_content(segment.parts) if segment.parts else "null"
            members = [*first, f'"content":{content}']
            members += [f'"tool_calls":{write_array(segment.calls)}'] if segment.calls else []
            if segment.sources:
                members.append(f'"annotations":{write_array(segment.sources)}')
            yield write_message(role, members, name, others)
        yield from segment.results
        first, others = [], []


def write_completion(
    members: Iterable[str], messages: Sequence[Message], reason: Value | None = None
) -> str:
    """Write the completion of `messages`; a last one by the assistant is the answer.

    `reason` is why it stopped, in Anthropic's words.
    """
    is_answered = bool(messages) and messages[-1].role == "assistant"
    asked = messages[:-1] if is_answered else messages
    choices = [write_choice(messages[-1].json, reason, "stop_reason")] if is_answered else []
    said = write_array(one.json for one in asked)
    return write_object([*members, f'"messages":{said}', f'"choices":{write_array(choices)}'])


def limit_branches(branches: Iterable[str]) -> Iterator[str]:
    """Yield the completions of one conversation; raise `NotACompletion` if they are too large."""
    written = 0
    for at, text in enumerate(branches):
        written += len(text)
        if written > _MAX_BRANCHES:
            raise NotACompletion(f"its branches are too large; {at} of them are imported")
        yield text


def write_id(own_id: str | None, branch: str = "") -> list[str]:
    """Write a conversation's id with that of the branch, if both can be part of a URL."""
    if not own_id:
        return []
    whole = f"{own_id}:{branch}" if branch else own_id
    name = "id" if is_valid_id(whole, max_length=_MAX_ID_LENGTH) else "original_id"
    return [f'"{name}":{json.dumps(whole)}']


def write_call(own_id: Value | None, name: str | None, arguments: Value | None) -> str:
    """Write the call of a function, whose `name` is JSON; arguments are written as a text."""
    text = "" if arguments is None or isinstance(arguments, Null) else arguments.source
    written = join_lines(text) if isinstance(arguments, String) else json.dumps(text)
    function = write(name=name, arguments=written)
    return write(id=copy(own_id), type='"function"', function=function)


def write_rest(value: Object, used: Iterable[str]) -> list[str]:
    """Copy the members of other names than `used` that are not null or empty."""
    names = frozenset(used)
    return [
        copy_member(one)
        for one in value.members
        if one.name.text not in names and not is_empty(one)
    ]


def is_empty(member: Member) -> bool:
    """Return whether a member is null, or an empty text, list or object."""
    value = member.value
    if isinstance(value, Array | Object):
        return not (value.items if isinstance(value, Array) else value.members)
    return isinstance(value, Null) or value.source == '""'


def list_branch(
    nodes: Mapping[str, Object], leaf: str | None, find_parent: Callable[[str], str | None]
) -> list[Object]:
    """List the messages from the first to the one at `leaf`; `find_parent` finds ids by ids."""
    path: dict[str, Object] = {}
    at = leaf
    while at is not None and at in nodes and at not in path:
        path[at] = nodes[at]
        at = find_parent(at)
    return list(reversed(path.values()))
