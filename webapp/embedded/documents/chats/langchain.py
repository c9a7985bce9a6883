"""Build completions from messages of LangChain: of `messages_to_dict`, `dumpd` and LangGraph.

The last message that names a model, a finish reason or a usage says those of the completion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from webapp.embedded.documents.chats.writing import (
    Message,
    write_call,
    write_completion,
    write_message,
    write_rest,
)
from webapp.embedded.documents.other_apis.writing import copy, copy_rest, rename
from webapp.exact_json import Array, Object, Value, write_array, write_object

_ROLES: Final = {
    **{"human": "user", "ai": "assistant", "system": "system", "tool": "tool"},
    **{"function": "function", "chat": "", "developer": "developer", "remove": "remove"},
}
_CLASS_END: Final = ("MessageChunk", "Message")
_OF_MESSAGE: Final = frozenset(
    {"content", "type", "role", "id", "name", "tool_calls", "tool_call_id", "example"}
)
_MODELS: Final = ("model_name", "model", "model_id")
_REASONS: Final = ("finish_reason", "stop_reason", "done_reason")
_USAGE: Final = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
_STATES: Final = ("values", "channel_values")
"""The members of a state of LangGraph that have its messages."""
_MAX_NESTING: Final = 3


def is_langchain(value: Object) -> bool:
    """Return whether `value` has messages of LangChain, alone or with the answer to them."""
    return bool(_find_messages(value))


def is_langchain_message(value: Value) -> bool:
    """Return whether `value` is a message in one of LangChain's forms."""
    return _read_body(value) is not None


def from_langchain(value: Object) -> Iterator[str]:
    """Yield the completion of the messages, and of the answer in `outputs`."""
    found = _find_messages(value)
    members = []
    if value.integer("lc") is None:
        name = _find_state(value)
        used = {"inputs", "outputs", "messages", "id", *([name] if name else [])}
        is_result = _is_result(value)
        members = [] if is_result else copy_rest(value, used)
        state = write_rest(value.object(name) or value, {"messages"}) if name else []
        members += [f'"{name}":{write_object(state)}'] if state else []
        own_id = copy(value.get("id"))
        members += [f'"logged_id":{own_id}'] if own_id else []
        members += _list_outputs(value) if is_result else _list_run(value)
    bodies = [body for one in found if (body := _read_body(one))]
    names = value.names()
    answers = [body for role, body in bodies if role == "assistant"]
    metadata = [one for body in answers[-1:] if (one := body.object("response_metadata"))]
    if "model" not in names and (model := _find(metadata, _MODELS)):
        members.append(f'"model":{model}')
    usage = next((one for body in answers[-1:] if (one := body.object("usage_metadata"))), None)
    if "usage" not in names and usage is not None:
        members.append(f'"usage":{rename(usage, _USAGE)}')
    text = write_completion(members, [_write(role, body) for role, body in bodies])
    reason = _find(metadata, _REASONS)
    if reason and bodies[-1][0] == "assistant":
        text = f'{text.removesuffix("}]}")},"finish_reason":{reason}}}]}}'
    yield text


def _list_run(run: Object) -> list[str]:
    """List the members of a run besides messages: its time, and the rest of inputs and outputs."""
    started = copy(run.get("start_time"))
    members = [f'"created":{started}'] if started and run.get("created") is None else []
    inputs, outputs = run.object("inputs"), run.object("outputs")
    if inputs is not None and (rest := write_rest(inputs, {"messages"})):
        members.append(f'"inputs":{write_object(rest)}')
    return [*members, *_list_outputs(outputs)] if outputs is not None else members


def _list_outputs(outputs: Object) -> list[str]:
    """List the members of an output besides its first message, such as other generations."""
    if is_langchain_message(outputs):
        return []
    rest = write_rest(outputs, {"messages", "generations", "message", "output"})
    listed = [
        one
        for each in outputs.items("generations") or ()
        for one in (each.items if isinstance(each, Array) else (each,))
    ]
    first = listed[0] if listed else None
    own = write_rest(first, {"message", "text", "type"}) if isinstance(first, Object) else []
    others = [
        *([write_object(own)] if own else []),
        *(copy(one) or "null" for one in listed[1:]),
    ]
    rest += [f'"generations":{write_array(others)}'] if others else []
    return [f'"outputs":{write_object(rest)}'] if rest else []


def _find_messages(value: Object) -> Sequence[Value]:
    """Find the messages in `value`, a prompt, or the inputs and outputs of a run."""
    if value.integer("lc") is not None and (kwargs := value.object("kwargs")) is not None:
        return _list_messages(kwargs.get("messages"))
    inputs, outputs = value.object("inputs"), value.get("outputs")
    if _is_result(value):
        return _find_answer(value)
    if inputs is None:
        return _list_messages((value.object(_find_state(value)) or value).get("messages"))
    asked = _list_messages(inputs.get("messages"))
    answered = _find_answer(outputs) if asked else ()
    is_whole = [one.source for one in answered[: len(asked)]] == [one.source for one in asked]
    return answered if is_whole and len(answered) > len(asked) else (*asked, *answered)


def _find_state(value: Object) -> str:
    """Find the member of a state of LangGraph that has its messages, empty if it is none."""
    states = ((name, value.object(name)) for name in _STATES)
    return next((name for name, state in states if state and state.items("messages")), "")


def _is_result(value: Object) -> bool:
    """Return whether `value` is the result of a model: generations without the question."""
    return bool(value.items("generations")) and bool(_find_answer(value))


def _list_messages(value: Value | None) -> Sequence[Value]:
    """List the messages in a list, which may be in another one; none if there is anything else."""
    items = value.items if isinstance(value, Array) else ()
    if len(items) == 1 and isinstance(items[0], Array):
        items = items[0].items
    return items if items and all(map(is_langchain_message, items)) else ()


def _find_answer(outputs: Value | None) -> Sequence[Value]:
    """Find the messages in the outputs of a run: in `messages`, in `generations`, or one."""
    for _ in range(2 * _MAX_NESTING):
        if isinstance(outputs, Array):
            if listed := _list_messages(outputs):
                return listed
            outputs = outputs.items[0] if outputs.items else None
        elif isinstance(outputs, Object) and is_langchain_message(outputs):
            return (outputs,)
        elif isinstance(outputs, Object):
            names = ("messages", "generations", "message", "output")
            outputs = next((one for name in names if (one := outputs.get(name))), None)
    return ()


def _read_body(value: Value) -> tuple[str, Object] | None:
    """Read the role and the members of a message in one of three forms; None if it is none."""
    if not isinstance(value, Object):
        return None
    body, kind = value, value.text("type") or ""
    if value.integer("lc") is not None:
        path = value.items("id") or ()
        name = path[-1].source[1:-1] if path else ""
        end = next((one for one in _CLASS_END if name.endswith(one)), None)
        kwargs = value.object("kwargs")
        if end is None or kwargs is None:
            return None
        body, kind = kwargs, name.removesuffix(end).lower()
    elif (data := value.object("data")) is not None:
        body = data
    elif value.text("role") is not None:
        return None
    kind = kind.removesuffix("MessageChunk").lower()
    if kind not in _ROLES or body.get("content") is None:
        return None
    return _ROLES[kind] or body.text("role") or "user", body


def _write(role: str, body: Object) -> Message:
    """Write a message; calls as the model's API sent them, if they are there as well."""
    members = [f'"{name}":{text}' for name in ("id", "name") if (text := copy(body.get(name)))]
    members.append(f'"content":{copy(body.get("content")) or "null"}')
    kwargs = body.object("additional_kwargs")
    given = kwargs.items("tool_calls") if kwargs else None
    calls = [one for one in body.items("tool_calls") or () if isinstance(one, Object)]
    used = set(_OF_MESSAGE)
    if kwargs is not None and given and len(given) >= len(calls):
        written = [copy(one) or "null" for one in given]
        used.add("additional_kwargs")
    else:
        # Those that are blocks of the content too, as Anthropic's API sends them, are calls there.
        blocks = [one for one in body.items("content") or () if isinstance(one, Object)]
        in_blocks = {one.text("id") for one in blocks if one.text("type") == "tool_use"}
        written = [
            write_call(one.get("id"), copy(one.get("name")), one.get("args"))
            for one in calls
            if one.text("id") not in in_blocks
        ]
    members += [f'"tool_calls":{write_array(written)}'] if written else []
    call_id = copy(body.get("tool_call_id"))
    members += [f'"tool_call_id":{call_id}'] if call_id else []
    rest = write_rest(body, used)
    others = write_rest(kwargs, {"tool_calls"}) if kwargs and "additional_kwargs" in used else []
    rest += [f'"additional_kwargs":{write_object(others)}'] if others else []
    return write_message(role, members, "langchain", rest)


def _find(objects: Sequence[Object], names: Sequence[str]) -> str | None:
    found = (copy(one.get(name)) for one in objects for name in names)
    return next(filter(None, found), None)
