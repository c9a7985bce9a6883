"""Build completions from the prompts that Google AI Studio keeps in Google Drive.

Each text, thought and file of a turn is a chunk. Chunks become the parts of Gemini's API.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from webapp.embedded.documents.chats.writing import write_rest
from webapp.embedded.documents.from_logs import end_conversation
from webapp.embedded.documents.other_apis import gemini
from webapp.embedded.documents.other_apis.writing import copy, copy_rest
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Object, Value, parse, write_array, write_object

_SIMPLE: Final = frozenset({"text", "thought"})
_NO_PART: Final = frozenset(
    {
        *("text", "role", "isThought", "parts", "tokenCount", "finishReason", "createTime"),
        *("branchParent", "branchChildren", "grounding", "thinkingBudget", "thoughtSignatures"),
        *("isGeneratedUsingApiKey", "isEdited", "errorMessage", "citations", "safetyRatings"),
    }
)
"""The members of chunks that are no content of their own."""

_CONVERSATION: Final = frozenset({"chunkedPrompt", "runSettings", "systemInstruction"})


def is_ai_studio_prompt(value: Object) -> bool:
    """Return whether `value` is a prompt of AI Studio with its chunks."""
    prompt = value.object("chunkedPrompt")
    return prompt is not None and prompt.items("chunks") is not None


def from_ai_studio(value: Object) -> Iterator[str]:
    """Yield the completion of a prompt. Raise `NotACompletion` if it has no chunks."""
    prompt = value.object("chunkedPrompt")
    chunks = [one for one in (prompt.items("chunks") if prompt else None) or ()]
    if prompt is None or not chunks:
        raise NotACompletion("it has no messages")
    members = [*copy_rest(value, _CONVERSATION), *write_rest(prompt, {"chunks"})]
    settings = value.object("runSettings")
    if settings is not None:
        model = copy(settings.get("model"))
        members += [f'"model":{model}'] if model else []
        members.append(f'"generationConfig":{write_object(write_rest(settings, {"model"}))}')
    system = value.object("systemInstruction")
    if system is not None and system.members:
        text = system.text("text") is not None and system.items("parts") is None
        source = f'{{"parts":[{system.source}]}}' if text else system.source
        members.append(f'"systemInstruction":{source}')
    contents = write_array(_write_content(run) for run in _group(chunks))
    request = parse(write_object([*members, f'"contents":{contents}']))
    assert isinstance(request, Object)
    written = parse(gemini.write_request(request))
    assert isinstance(written, Object)
    last = chunks[-1]
    yield end_conversation(written, last.get("finishReason") if isinstance(last, Object) else None)


def _group(chunks: Sequence[Value]) -> Iterator[list[Value]]:
    """Group the thoughts before an answer with it, and leave all else apart."""
    thoughts: list[Value] = []
    for chunk in chunks:
        if isinstance(chunk, Object) and chunk.boolean("isThought"):
            thoughts.append(chunk)
            continue
        if thoughts and not (isinstance(chunk, Object) and chunk.text("role") == "model"):
            yield thoughts
            thoughts = []
        yield [*thoughts, chunk]
        thoughts = []
    if thoughts:
        yield thoughts


def _write_content(run: Sequence[Value]) -> str:
    """Write chunks as one content of Gemini's API, with other members in `ai_studio`."""
    role = next((one.get("role") for one in run if isinstance(one, Object)), None)
    parts = [part for one in run for part in _iter_parts(one)]
    rests = [_list_rest(one) for one in run if isinstance(one, Object)]
    rest = []
    if len(run) > 1 and any(rests):
        rest = [f'"ai_studio":{write_array(map(write_object, rests))}']
    elif rests and rests[0]:
        rest = [f'"ai_studio":{write_object(rests[0])}']
    given = copy(role) or '"user"'
    return write_object([f'"role":{given}', f'"parts":{write_array(parts)}', *rest])


def _iter_parts(chunk: Value) -> Iterator[str]:
    if not isinstance(chunk, Object):
        yield write_object([f'"text":{json.dumps(chunk.source)}'])
        return
    thought = ['"thought":true'] if chunk.boolean("isThought") else []
    text = copy(chunk.get("text"))
    if text:
        yield write_object([f'"text":{text}', *thought])
    for member in chunk.members:
        name = "inlineData" if member.name.text == "inlineFile" else member.name.text
        if name not in _NO_PART and isinstance(member.value, Object):
            yield write_object([f"{json.dumps(name)}:{copy(member.value)}"])
    if not text:
        yield from (copy(part) or "null" for part in chunk.items("parts") or ())


def _list_rest(chunk: Object) -> list[str]:
    """List the members other than content, without `parts` that only repeat the text."""
    used = {"text", "role", "isThought"}
    used |= {one.name.text for one in chunk.members if isinstance(one.value, Object)} - _NO_PART
    parts = chunk.items("parts") or ()
    is_plain = all(isinstance(one, Object) and _SIMPLE.issuperset(one.names()) for one in parts)
    said = "".join(one.text("text") or "" for one in parts if isinstance(one, Object))
    if (is_plain and said == (chunk.text("text") or "")) or chunk.text("text") is None:
        used.add("parts")
    return write_rest(chunk, used)
