"""Build completions from the logs of evaluations: samples of Inspect and results of promptfoo."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from webapp.embedded.documents.api_json import TIMING, join_lines
from webapp.embedded.documents.chats.writing import (
    Message,
    write_call,
    write_id,
    write_message,
    write_rest,
)
from webapp.embedded.documents.from_logs import from_logged_request
from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    rename,
    write,
    write_choice,
)
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.exact_json import (
    Array,
    NotJson,
    Null,
    Number,
    Object,
    String,
    Value,
    parse,
    write_array,
    write_object,
)

_USAGE: Final = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
_TOKEN_USAGE: Final = {
    "prompt": "prompt_tokens",
    "completion": "completion_tokens",
    "total": "total_tokens",
}
_OF_MESSAGE: Final = frozenset(
    {"id", "role", "content", "tool_calls", "tool_call_id", "function", "source"}
)
_OF_CALL: Final = frozenset({"id", "function", "arguments", "type"})
_ATTACHMENT: Final = re.compile(r'"attachment://([0-9a-f]{16,64})"')
_MAX_ATTACHED: Final = 64 * 1024 * 1024
"""The most characters of the attachments of a sample, which may be in it many times."""

_LONGEST_TASK: Final = 100_000
"""Characters of the task, which each sample repeats; a longer one is left out."""

_BROKEN_OFF: Final = {"max_tokens": "length", "model_length": "length"}


def list_samples(value: Object) -> Sequence[Object]:
    """List the samples of an Inspect log, or `value` itself if it is one; none otherwise."""
    samples = value.items("samples") if value.object("eval") else None
    if samples is not None:
        return [one for one in samples if isinstance(one, Object) and _is_sample(one)]
    return [value] if _is_sample(value) and value.get("epoch") is not None else []


def from_sample(sample: Object, log: Object) -> str:
    """Convert a sample to a completion; `log` is that which it is in, or the sample itself.

    Raise `NotACompletion` if its messages are too large with their attachments.
    """
    output = sample.object("output")
    messages = [_write_message(one) for one in _list_messages(sample)]
    choices: list[str] = []
    if messages and messages[-1].role == "assistant":
        answer = messages.pop()
        given = [one for one in (output.items("choices") if output else None) or ()]
        reason = given[0].get("stop_reason") if given and isinstance(given[0], Object) else None
        choices.append(_write_choice(answer.json, reason, 0))
        choices += [
            _write_choice(_write_message(message).json, one.get("stop_reason"), at)
            for at, one in enumerate(given)
            if at and isinstance(one, Object) and (message := one.object("message"))
        ]
    evaluation = log.object("eval")
    model = (output and copy(output.get("model"))) or (evaluation and copy(evaluation.get("model")))
    created = copy(sample.get("started_at")) or (evaluation and copy(evaluation.get("created")))
    error = sample.object("error") or sample.object("limit")
    words = error and (error.text("message") or f"the limit of {error.text('type') or 'the task'}")
    usage = output.object("usage") if output else None
    given_usage = rename(usage, _USAGE)
    rest = write_rest(sample, {"uuid", "messages", "attachments"})
    members = [
        *write_id(sample.text("uuid")),
        *([f'"model":{model}'] if model else []),
        *([f'"created":{created}'] if created else []),
        *([f'"usage":{given_usage}'] if given_usage else []),
        *([f'"incomplete":{json.dumps({"reason": words})}'] if words else []),
        *([f'"eval":{task}'] if (task := write_task(evaluation)) else []),
        f'"inspect":{write_object(rest)}',
        f'"messages":{write_array(one.json for one in messages)}',
        f'"choices":{write_array(choices)}',
    ]
    return write_object(members)


def list_results(value: Object) -> Sequence[Object]:
    """List the results in an output of promptfoo, or `value` if it is one; none otherwise."""
    results = value.object("results")
    listed = results.items("results") if results else value.items("results")
    if listed is not None:
        return [one for one in listed if isinstance(one, Object) and _is_result(one)]
    return [value] if _is_result(value) else []


def from_result(result: Object, output: Object) -> str:
    """Convert a result of promptfoo to a completion; `output` is that which it is in, or itself.

    Raise `NotACompletion` if its response is none.
    """
    prompt, response = result.object("prompt"), result.object("response")
    given = prompt.get("raw") if prompt else None
    provider = result.get("provider")
    model = provider.get("id") if isinstance(provider, Object) else provider
    used = {"prompt", "response", "model", "created", "usage", "messages", "choices"}
    members = copy_rest(result, used)
    members += [f'"model":{copy(model)}'] if isinstance(model, String) else []
    results = output.object("results")
    time = results.get("timestamp") if results else None
    members += [f'"timestamp":{copy(time)}'] if isinstance(time, String) else []
    latency = result.get("latencyMs")
    if isinstance(latency, Number) and (milliseconds := latency.integer) is not None:
        members.append(f'"{TIMING}":{{"total_ms":{milliseconds}}}')
    usage = response.object("tokenUsage") if response else None
    members += [f'"usage":{rename(usage, _TOKEN_USAGE)}'] if usage else []
    asked = write_rest(prompt, {"raw"}) if prompt else []
    answered = write_rest(response, {"output", "tokenUsage"}) if response else []
    rest = {"prompt": asked, "response": answered}
    kept = write(**{name: write_object(one) for name, one in rest.items() if one})
    members += [f'"promptfoo":{kept}'] if kept != "{}" else []
    log = parse(write_object(members))
    assert isinstance(log, Object)
    return from_logged_request(log, ("", ""), _read_prompt(given), _read_output(response))


def _is_sample(value: Object) -> bool:
    messages, output = value.items("messages"), value.object("output")
    is_listed = messages is not None and all(
        isinstance(one, Object) and one.text("role") for one in messages
    )
    return is_listed and output is not None and output.get("choices") is not None


def _is_result(value: Object) -> bool:
    prompt = value.object("prompt")
    has_outcome = isinstance(value.get("response"), Object) or value.get("error") is not None
    return prompt is not None and prompt.text("raw") is not None and has_outcome


def _list_messages(sample: Object) -> Iterator[Object]:
    """Yield the messages, with the long texts that the log has in one place."""
    listed = sample.get("messages")
    attachments = sample.object("attachments")
    if attachments is not None and listed is not None:
        length = 0

        def find(found: re.Match[str]) -> str:
            nonlocal length
            text = attachments.get(found[1]) if attachments else None
            source = text.source if isinstance(text, String) else found[0]
            length += len(source)
            if length > _MAX_ATTACHED:
                raise NotACompletion("its messages are too large with their attachments")
            return source

        listed = parse(_ATTACHMENT.sub(find, listed.source))
    for one in listed.items if isinstance(listed, Array) else ():
        if isinstance(one, Object):
            yield one


def write_task(evaluation: Object | None) -> str | None:
    """Write the members that each sample repeats of the whole log: not the ids of all samples.

    Of a task that is longer than 100,000 characters, this is None.
    """
    if evaluation is None:
        return None
    members = copy_rest(evaluation, {"dataset"})
    if dataset := evaluation.object("dataset"):
        members.append(f'"dataset":{write_object(copy_rest(dataset, {"sample_ids"}))}')
    task = write_object(members)
    return task if len(task) <= _LONGEST_TASK else None


def _write_message(message: Object) -> Message:
    members = [f'"id":{own_id}'] if (own_id := copy(message.get("id"))) else []
    content = message.get("content")
    parts = content.items if isinstance(content, Array) else None
    written = copy(content) if parts is None else write_array(map(_write_part, parts))
    members.append(f'"content":{written or "null"}')
    calls = [one for one in message.items("tool_calls") or () if isinstance(one, Object)]
    listed = [
        write_call(one.get("id"), copy(one.get("function")), one.get("arguments")) for one in calls
    ]
    members += [f'"tool_calls":{write_array(listed)}'] if listed else []
    call_id, name = copy(message.get("tool_call_id")), copy(message.get("function"))
    members += [f'"tool_call_id":{call_id}'] if call_id else []
    members += [f'"name":{name}'] if name else []
    rest = write_rest(message, _OF_MESSAGE)
    others = [kept for one in calls if (kept := write_rest(one, _OF_CALL))]
    rest += [f'"tool_calls":{write_array(map(write_object, others))}'] if others else []
    return write_message(message.text("role") or "user", members, "inspect", rest)


def _write_part(part: Value) -> str:
    kind = part.text("type") if isinstance(part, Object) else None
    if not isinstance(part, Object) or kind is None:
        return copy(part) or "null"
    if kind == "reasoning":
        rest = write_rest(part, {"type", "reasoning"})
        text = copy(part.get("reasoning")) or '""'
        return write_object(['"type":"reasoning"', f'"text":{text}', *rest])
    if kind == "image" and (url := copy(part.get("image"))):
        image = write_object([f'"url":{url}', *write_rest(part, {"type", "image"})])
        return write(type='"image_url"', image_url=image)
    return join_lines(part.source)


def _write_choice(message: str, reason: Value | None, at: int) -> str:
    given = reason.text if isinstance(reason, String) else None
    known = _BROKEN_OFF.get(given or "")
    more = [f'"stop_reason":{json.dumps(given)}'] if known and known != given else []
    stopped = parse(json.dumps(known)) if known else reason
    return write_choice(message, stopped, None, index=at, more=more)


def _read_prompt(raw: Value | None) -> Sequence[Value]:
    """Read a prompt: messages that are written as a text, or the text of one."""
    parsed = _parse(raw)
    items = parsed.items if isinstance(parsed, Array) else ()
    if items and all(isinstance(one, Object) and one.text("role") for one in items):
        return items
    text = raw.source if isinstance(raw, String) else '""'
    return [parse(f'{{"role":"user","content":{text}}}')]


def _read_output(response: Object | None) -> Value | None:
    """Read the answer: the response of the model if it was kept, else the output, as a text."""
    if response is None:
        return None
    raw = _parse(response.get("raw"))
    if isinstance(raw, Object) and raw.items("choices") is not None:
        return raw
    output = response.get("output")
    if output is None or isinstance(output, Null | String):
        return output
    return parse(json.dumps(output.source))


def _parse(value: Value | None) -> Value | None:
    if not isinstance(value, String):
        return value
    try:
        return parse(value.text, max_values=MAX_IMPORTED_VALUES)
    except NotJson:
        return None
