"""Build a completion from the events that `codex exec --json` prints.

An item has an event when it starts, is updated and is completed; the last one has all of it. The
question of the user is not among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from webapp.embedded.documents.chats.writing import write_id
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
    written = (one for item in items.values() for one in _write_item(item))
    request = parse(write_object([*members, f'"input":{write_array(written)}']))
    assert isinstance(request, Object)
    conversation = parse(responses.write_request(request))
    assert isinstance(conversation, Object)
    yield end_conversation(conversation)


def _write_item(item: Object) -> list[str]:
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
