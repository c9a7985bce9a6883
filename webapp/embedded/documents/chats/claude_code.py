"""Build completions from the sessions of Claude Code, which writes a line for each event.

An answer of the API takes a line for each of its content blocks. Lines form a tree by
`parentUuid`: a session that was rewound has branches, each agent one of its own, and the results of
parallel calls hang beside the branch they belong to. Lines that the command prints have no
parents, and follow each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from webapp.embedded.documents.chats.writing import (
    Message,
    limit_branches,
    write_completion,
    write_id,
    write_message,
    write_rest,
)
from webapp.embedded.documents.from_files import copy_member
from webapp.embedded.documents.other_apis.anthropic import USAGE
from webapp.embedded.documents.other_apis.writing import copy, rename, write
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Array, Object, Value, write_array, write_object

_SESSIONS: Final = ("sessionId", "session_id")
_NO_LINE: Final = frozenset({"input", "output", "messages", "traceId", "trace_id"})
_PRINTED: Final = ("message", "subtype", "event")
_SAID: Final = frozenset({"user", "assistant"})
_OF_LINE: Final = frozenset({"type", "uuid", "parentUuid", "message"})
_SYNTHETIC: Final = "<synthetic>"
"""The model of the messages that Claude Code writes itself, such as those about errors."""


def is_claude_code_line(value: Object) -> bool:
    """Return whether `value` is a line of a session, with a message or of another kind."""
    names = value.names()
    if value.text("type") is None or not _NO_LINE.isdisjoint(names):
        return False
    if value.text("session_id") is not None:
        return any(value.get(name) is not None for name in _PRINTED)
    return (
        ("parentUuid" in names and value.text("uuid") is not None)
        or value.text("sessionId") is not None
        or (value.text("summary") is not None and value.text("leafUuid") is not None)
        or (value.text("messageId") is not None and value.object("snapshot") is not None)
    )


def from_claude_code(lines: Sequence[Object]) -> Iterator[str]:
    """Yield the branches of each session in `lines`: the last one, then others and agents.

    Raise `NotACompletion` if there is no message, or when the branches are too large together.
    """
    lines = sorted(lines, key=lambda line: line.text("timestamp") or "")
    said = [at for at, line in enumerate(lines) if _is_said(line)]
    if not said:
        raise NotACompletion("it has no messages")
    parents = _find_parents(lines)
    inner = {parents[at] for at in said}
    leaves = [at for at in said if at not in inner]
    shown = {_find_session(lines[at]): at for at in leaves if not _is_agent(lines[at])}
    yield from limit_branches(_write_branches(lines, parents, [*shown.values(), *leaves]))


def _write_branches(
    lines: Sequence[Object], parents: Mapping[int, int | None], leaves: Sequence[int]
) -> Iterator[str]:
    """Write the branch of each leaf that is in none before, each under an id of its own."""
    others: dict[str, list[Object]] = {}
    for line in lines:
        if not _is_said(line):
            others.setdefault(_find_session(line), []).append(line)
    beside = _find_beside(lines)
    sessions = {_find_session(lines[leaf]) for leaf in leaves}
    written: set[int] = set()
    taken: set[str] = set()
    for leaf in leaves:
        if leaf in written:
            continue
        branch = _collect_branch(lines, parents, leaf, beside)
        written.update(branch)
        session = _find_session(lines[leaf])
        agent = lines[leaf].text("agentId") or lines[leaf].text("parent_tool_use_id") or ""
        own_id = f"{session}:{agent}" if agent and _is_agent(lines[leaf]) else session
        if own_id in taken or (_is_agent(lines[leaf]) and not agent):
            own_id = f"{session}:{lines[leaf].text('uuid') or leaf}"
        taken.add(own_id)
        own = others.pop(session, [])
        if len(taken) == 1:
            # Lines of no session, or of one that has no message here.
            own = [line for name in others if name not in sessions for line in others[name]] + own
        yield _write_branch([lines[at] for at in branch], own_id, own)


def _find_parents(lines: Sequence[Object]) -> dict[int, int | None]:
    """Find the line with a message before each one, by position."""
    positions: dict[tuple[str, str], int] = {}
    anywhere: dict[str, int] = {}
    for at, line in enumerate(lines):
        if uuid := line.text("uuid"):
            positions[_find_session(line), uuid] = anywhere[uuid] = at
    before: dict[int, int | None] = {}
    last: dict[tuple[str, str | None], int] = {}
    for at, line in enumerate(lines):
        session = _find_session(line)
        if "parentUuid" in line.names():
            # After its messages were summarized, a session goes on below its last one.
            parent = line.text("parentUuid") or line.text("logicalParentUuid") or ""
            before[at] = positions.get((session, parent), anywhere.get(parent))
        else:
            thread = (session, line.text("parent_tool_use_id"))
            before[at] = last.get(thread)
            last[thread] = at if _is_said(line) else last.get(thread, at)
    found: dict[int, int | None] = {}
    for at in range(len(lines)):
        passed = {at: None}
        up = before[at]
        while up is not None and not _is_said(lines[up]):
            if up in found or up in passed:
                up = found.get(up)
                break
            passed[up] = None
            up = before[up]
        found |= dict.fromkeys(passed, up)
    return found


def _find_beside(lines: Sequence[Object]) -> dict[str, list[int]]:
    """Find the lines of each answer by its id, and those with the results of each call."""
    found: dict[str, list[int]] = {}
    for at, line in enumerate(lines):
        names = _list_blocks(line, "tool_use_id")
        if _is_said(line) and (answer := _find_answer(line)):
            names.append(answer)
        for name in names:
            found.setdefault(name, []).append(at)
    return found


def _collect_branch(
    lines: Sequence[Object],
    parents: Mapping[int, int | None],
    leaf: int,
    beside: Mapping[str, Sequence[int]],
) -> list[int]:
    """Collect the branch of `leaf`, with the further blocks and the results of its answers."""
    path: dict[int, None] = {}
    at: int | None = leaf
    while at is not None and at not in path:
        path[at] = None
        at = parents[at]
    branch = list(reversed(path))
    is_in_order = all(one < after for one, after in pairwise(branch))
    asked: set[str] = set()
    for at in branch:
        for name in {_find_answer(lines[at]) or "", *_list_blocks(lines[at], "id")} - asked:
            asked.add(name)
            found = [one for one in beside.get(name, ()) if one not in path]
            path |= dict.fromkeys(found)
            branch += found
    return sorted(branch) if is_in_order else branch


def _write_branch(branch: Sequence[Object], own_id: str, others: Sequence[Object]) -> str:
    common = {
        one.name.text: copy_member(one)
        for one in branch[0].members
        if one.name.text not in {*_OF_LINE, "timestamp"}
        and not isinstance(one.value, Array | Object)
        and all(
            value is not None and value.source == one.value.source
            for value in (line.get(one.name.text) for line in branch)
        )
    }
    answers: dict[object, list[Object]] = {}
    for at, line in enumerate(branch):
        answers.setdefault(_find_answer(line) or at, []).append(line)
    messages = [_write_message(run, {*_OF_LINE, *common}) for run in answers.values()]
    said = [one for line in branch if (one := line.object("message"))]
    models = [one.get("model") for one in said if one.text("model") not in (None, _SYNTHETIC)]
    members = write_id(own_id)
    times = (copy(line.get("timestamp")) for line in reversed(branch))
    created = next(filter(None, times), None)
    members += [f'"created":{created}'] if created else []
    members += [f'"model":{copy(models[-1])}'] if models else []
    last = branch[-1].object("message")
    is_answered = messages[-1].role == "assistant" and last is not None
    if is_answered and last is not None and (usage := rename(last.object("usage"), USAGE)):
        members.append(f'"usage":{usage}')
    if branch[-1].boolean("isApiErrorMessage"):
        members.append(f'"incomplete":{json.dumps({"reason": _read_text(last)})}')
    kept = list(common.values())
    kept += [f'"lines":{write_array(copy(one) or "" for one in others)}'] if others else []
    members += [f'"claude_code":{write_object(kept)}'] if kept else []
    reason = last.get("stop_reason") if is_answered and last is not None else None
    return write_completion(members, messages, reason)


def _write_message(run: Sequence[Object], used: set[str]) -> Message:
    """Write the lines of one message, with the members of each that the one before lacks."""
    rests: list[str] = []
    before: set[str] = set()
    for line in run:
        message = line.object("message")
        inner = write_rest(message, {"role", "content"}) if message is not None else []
        rest = write_rest(line, used)
        own_id = copy(line.get("uuid")) if line is not run[0] else None
        rest += [f'"uuid":{own_id}'] if own_id else []
        rest += [f'"message":{write_object(inner)}'] if inner else []
        rests.append(write_object(one for one in rest if one not in before))
        before = set(rest)
    kept = [rests[0][1:-1]] if len(run) == 1 else [f'"lines":{write_array(rests)}']
    first = run[0].object("message")
    role = (first.text("role") if first else None) or run[0].text("type") or ""
    contents = [one.get("content") for line in run if (one := line.object("message"))]
    parts = [part for one in contents for part in _write_parts(one)]
    content = write_array(parts) if len(run) > 1 else copy(contents[0]) or "null"
    own_id = copy(run[0].get("uuid"))
    members = [f'"id":{own_id}'] if own_id else []
    rest = [one for one in kept if one not in ("", '"lines":[]')]
    return write_message(role, [*members, f'"content":{content}'], "claude_code", rest)


def _write_parts(content: Value | None) -> list[str]:
    if isinstance(content, Array):
        return [copy(one) or "null" for one in content.items]
    text = copy(content)
    return [write(type='"text"', text=text)] if text else []


def _is_said(line: Object) -> bool:
    return line.text("type") in _SAID and line.object("message") is not None


def _is_agent(line: Object) -> bool:
    return bool(line.boolean("isSidechain")) or line.text("parent_tool_use_id") is not None


def _find_session(line: Object) -> str:
    return next(filter(None, map(line.text, _SESSIONS)), "")


def _find_answer(line: Object) -> str | None:
    """Find the id of the answer that a line is a block of."""
    message = line.object("message")
    is_answer = message is not None and message.text("role") == "assistant"
    return message.text("id") if message is not None and is_answer else None


def _list_blocks(line: Object, name: str) -> list[str]:
    """List the texts in the member `name` of the content blocks."""
    message = line.object("message")
    blocks = message.items("content") if message else None
    texts = (one.text(name) for one in blocks or () if isinstance(one, Object))
    return [one for one in texts if one]


def _read_text(message: Object | None) -> str:
    blocks = message.items("content") if message else None
    texts = [one.text("text") or "" for one in blocks or () if isinstance(one, Object)]
    return "".join(texts) or (message.text("content") if message else None) or ""
