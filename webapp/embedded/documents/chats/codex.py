"""Build a completion from a session of Codex, which writes a line for each event.

Its messages, thoughts, calls and results are items of the Responses API. Older versions write the
items alone, after a line about the session. `codex exec --json` prints other events: an item has
one when it starts, is updated and is completed, and the last one has all of it. The question of
the user is not among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from webapp.embedded.documents.chats.writing import write_id, write_rest
from webapp.embedded.documents.from_logs import end_conversation
from webapp.embedded.documents.other_apis import responses
from webapp.embedded.documents.other_apis.writing import copy, copy_rest, rename, write, write_text
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Object, parse, write_array, write_object

_THREADS: Final = ("thread.started", "turn.started", "turn.completed", "turn.failed")
_ITEMS: Final = ("item.started", "item.updated", "item.completed")
_GIVEN: Final = frozenset({"command", "changes", "query", "items", "action", "prompt"})
"""The members of an item that ask for a step; the others came of it."""
_OUTPUTS: Final = ("aggregated_output", "result", "error")

_LINE: Final = frozenset({"timestamp", "type", "payload"})
_ALONE: Final = frozenset(
    {"reasoning", "function_call", "function_call_output", "local_shell_call"}
)
_TEXTS: Final = ("input_text", "output_text")
_ROLLED_BACK: Final = "thread_rolled_back"
"""The event that takes back the items before it; all others repeat items, or measure them."""
_FAILURES: Final = frozenset({"error", "turn_aborted"})


def is_codex_line(value: Object) -> bool:
    """Return whether `value` is a line of a session."""
    if value.text("type") is not None and value.object("payload") is not None:
        return _LINE.issuperset(value.names())
    if value.text("record_type") is not None or is_codex_event(value):
        return True
    if value.text("type") is None:
        return {"id", "timestamp", "instructions"} <= set(value.names())
    return _is_item(value)


def from_codex(lines: Sequence[Object]) -> Iterator[str]:
    """Yield the completion of a session. Raise `NotACompletion` if it has no messages."""
    if all(map(is_codex_event, lines)):
        yield from from_codex_events(lines)
        return
    items: list[str] = []
    others: list[str] = []
    session: Object | None = None
    model = usage = created = failure = None
    for line in lines:
        kind, payload = line.text("type") or "", line.object("payload")
        event = payload.text("type") if payload and kind == "event_msg" else None
        if _is_item(line) or (payload and (kind in ("response_item", "compacted"))):
            items.append(_write_item(line))
            created, failure = copy(line.get("timestamp")) or created, None
        elif payload and event == _ROLLED_BACK:
            items.append(_write_item(line))
        elif session is None and (kind == "session_meta" or "instructions" in line.names()):
            session = payload or line
        else:
            others.append(copy(line) or "null")
            if payload and kind == "turn_context":
                model = copy(payload.get("model")) or model
            if payload and event in _FAILURES:
                words = payload.text("message") or payload.text("reason") or payload.source
                failure = words if event == "error" else f"{event}: {words}"
            info = payload.object("info") if payload and event == "token_count" else None
            usage = info.object("last_token_usage") if info else usage
    if not items:
        raise NotACompletion("it has no messages")
    members, kept = _write_session(session) if session is not None else ([], [])
    created = created or (copy(session.get("timestamp")) if session else None)
    members += [f'"created":{created}'] if created else []
    members += [f'"model":{model}'] if model else []
    counts = rename(usage, responses.USAGE)
    members += [f'"usage":{counts}'] if counts else []
    members += [f'"incomplete":{json.dumps({"reason": failure})}'] if failure else []
    kept += [f'"lines":{write_array(others)}'] if others else []
    members += [f'"codex":{write_object(kept)}'] if kept else []
    request = parse(write_object([*members, f'"input":{write_array(items)}']))
    assert isinstance(request, Object)
    written = parse(responses.write_request(request))
    assert isinstance(written, Object)
    yield end_conversation(written)


def _write_session(session: Object) -> tuple[list[str], list[str]]:
    """Write the id and the instructions of a session, and its other members in one of our own."""
    base = session.object("base_instructions")
    name = "instructions" if base is None else "base_instructions"
    text = copy(base.get("text") if base else session.get(name))
    members = write_id(session.text("id"))
    members += [f'"instructions":{text}'] if text else []
    return members, [f'"session":{write_object(write_rest(session, {"id", name}))}']


def _is_item(value: Object) -> bool:
    """Return whether `value` is an item on a line of its own."""
    kind = value.text("type")
    if kind in _ALONE:
        return value.get("call_id") is not None or value.items("summary") is not None
    content = value.items("content")
    return (
        kind == "message"
        and bool(content)
        and value.text("status") is None
        and all(isinstance(one, Object) and one.text("type") in _TEXTS for one in content or ())
    )


def _write_item(line: Object) -> str:
    """Write the item of a line, with the time of the line."""
    payload = line.object("payload")
    if payload is None:
        return line.source
    time = copy(line.get("timestamp"))
    times = [f'"timestamp":{time}'] if time and "timestamp" not in payload.names() else []
    if line.text("type") == "response_item":
        return write_object([*copy_rest(payload, ()), *times])
    # A summary replaces the messages before, as a message of the user.
    kind = [] if payload.text("type") else [f'"type":{copy(line.get("type"))}']
    part = write_object([*kind, *copy_rest(payload, ())])
    return write_object(['"type":"message"', '"role":"user"', f'"content":[{part}]', *times])


def is_codex_event(value: Object) -> bool:
    """Return whether `value` is an event of a run."""
    kind = value.text("type")
    if kind in _ITEMS:
        item = value.object("item")
        return item is not None and item.text("id") is not None
    if kind == "error":
        return {"type", "message"} == set(value.names())
    return kind in _THREADS


def from_codex_events(events: Sequence[Object]) -> Iterator[str]:
    """Yield the completion of a run. Raise `NotACompletion` if it has no items."""
    items: dict[tuple[int, str], Object] = {}
    others: list[str] = []
    thread, threads = "", 0
    usage = failure = None
    for event in events:
        kind, item = event.text("type"), event.object("item")
        if item is not None:
            items[threads, item.text("id") or ""] = item
            failure = None
            continue
        others.append(copy(event) or "null")
        if kind == "thread.started":
            thread, threads = event.text("thread_id") or thread, threads + 1
        elif kind == "turn.completed":
            usage = event.object("usage") or usage
        elif kind in ("turn.failed", "error"):
            error = event.object("error") or event
            failure = error.text("message") or error.source
    if not items:
        raise NotACompletion("it has no messages")
    members = write_id(thread)
    counts = rename(usage, responses.USAGE)
    members += [f'"usage":{counts}'] if counts else []
    members += [f'"incomplete":{json.dumps({"reason": failure})}'] if failure else []
    members.append(f'"codex":{{"lines":{write_array(others)}}}')
    written = (one for item in items.values() for one in _write_event_item(item))
    request = parse(write_object([*members, f'"input":{write_array(written)}']))
    assert isinstance(request, Object)
    conversation = parse(responses.write_request(request))
    assert isinstance(conversation, Object)
    yield end_conversation(conversation)


def _write_event_item(item: Object) -> list[str]:
    """Write an item as those of the Responses API: a command is a call with its result."""
    kind, text = item.text("type") or "", copy(item.get("text"))
    rest = copy_rest(item, {"type", "text"})
    if kind == "agent_message" and text:
        part = f'[{{"type":"output_text","text":{text}}}]'
        return [
            write_object(['"type":"message"', '"role":"assistant"', f'"content":{part}', *rest])
        ]
    if kind == "reasoning" and text:
        summary = f'[{{"type":"summary_text","text":{text}}}]'
        return [write_object(['"type":"reasoning"', f'"summary":{summary}', *rest])]
    if kind == "error":
        return [write_object(copy_rest(item, ()))]
    call_id = copy(item.get("id"))
    given = write_object(copy_rest(item, set(item.names()) - _GIVEN))
    arguments = item.get("arguments")
    call = write(
        type='"function_call"',
        call_id=call_id,
        name=copy(item.get("tool")) or json.dumps(kind),
        arguments=json.dumps(given) if arguments is None else write_text(arguments),
        server=copy(item.get("server")),
        kind=json.dumps(kind) if item.get("tool") is not None else None,
    )
    name = next((one for one in _OUTPUTS if copy(item.get(one))), "")
    used = {"id", "type", "arguments", "tool", "server", name, *_GIVEN}
    came = copy_rest(item, used)
    if not (name or came) or item.text("status") == "in_progress":
        return [call]
    output = write_text(item.get(name)) if name else json.dumps(write_object(came))
    result = ['"type":"function_call_output"', f'"call_id":{call_id}', f'"output":{output}']
    return [call, write_object([*result, *(came if name else [])])]
