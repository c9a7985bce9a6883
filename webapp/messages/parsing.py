"""Parse the content parts and tool calls of a message, in reading order.

A value of unknown type or shape becomes an `Unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final, NamedTuple

from webapp.exact_json import Array, Member, Null, Object, String, Value
from webapp.messages.media_parts import Audio, File, Image, InputAudio, parse_image
from webapp.messages.native_parts import find_parts, translate
from webapp.messages.parts import (
    Call,
    Part,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    is_readable_list,
    keep_unknown,
)
from webapp.messages.quotations import find_provider_quoted
from webapp.messages.reasoning import (
    DETAIL_FIELDS,
    THOUGHTS,
    find_repeated,
    is_same_thought,
    join_reasoning,
    parse_details,
    parse_thoughts,
)
from webapp.messages.translated import Translated

REASONING_FIELDS: Final = (
    *("reasoning", "reasoning_content", "reasoning_text", "reasoning_summary"),
    *("thinking", "thinking_content", "thought", "thoughts"),
)

WRITERS: Final = ("assistant", None)
"""The roles of messages that models write: some servers stream answers without one."""

PROVIDER_FIELDS: Final = ("provider_specific_fields", "additional_kwargs", "model_extra")
"""The members in which LiteLLM, LangChain and OpenAI's client for Python have what only some APIs
send, partly for a second time."""

_MAX_DEPTH: Final = 10
"""Elements within each other whose parts are read; deeper ones are shown as JSON."""


_PARSERS: Final[dict[str, Callable[[Object], Part | None]]] = {
    "text": Text.parse,
    "input_text": Text.parse,
    "output_text": Text.parse,
    "summary_text": Text.parse,
    "audio_transcription": Text.parse,
    "system_error": Text.parse,
    "tether_quote": Text.parse,
    "citationsContent": Text.parse_cited,
    "refusal": Refusal.parse,
    "thinking": Reasoning.parse,
    "reasoning": Reasoning.parse,
    "redacted_thinking": RedactedReasoning.parse,
    "image_url": Image.parse,
    "input_image": parse_image,
    "input_audio": InputAudio.parse,
    "file": File.parse,
    "image": parse_image,
    "document": File.parse_document,
    "container_upload": File.parse_id,
    "web_search_result": File.parse_page,
    "tool_reference": File.parse_page,
    "file_url": File.parse_url,
    "document_url": File.parse_url,
    "input_file": File.parse_input_file,
    "audio": InputAudio.parse_block,
    "audio_url": InputAudio.parse_audio_url,
    "video": File.parse_video,
    "input_video": File.parse_video,
    "video_url": File.parse_video,
}

PART_TYPES: Final = frozenset(_PARSERS)
"""The types of content parts that are neither calls nor results, and are read."""

CALL_BLOCKS: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
"""The types of content blocks that are calls in Anthropic's API."""


def is_call_or_result(block: Object) -> bool:
    """Return whether a content block is a call or a result by its type, even if it is malformed."""
    kind = block.text("type") or ""
    return kind in CALL_BLOCKS or kind == "tool_result" or kind.endswith("_tool_result")


class Content(NamedTuple):
    """The list of content parts of a message, and the results in it that name their calls.

    `items` are the parts, those of other APIs translated.

    | Parts | `result` | `results` |
    | --- | --- | --- |
    | one `tool_result` block of Anthropic's API, and nothing else | that block | none |
    | results beside other parts, in a message whose role is none of a tool | None | all |
    | anything else, or no list | None | none |
    """

    parts: Array | None
    items: tuple[Value, ...] = ()
    result: Object | None = None
    results: tuple[Object, ...] = ()


def read_content(message: Object) -> Content:
    """Read the parts of `content_parts` if it has any, else those of `content`, else `parts`."""
    given = map(message.get, ("content_parts", "content"))
    parts = next((one for one in given if is_readable_list(one) and one.items), None)
    parts = parts or find_parts(message)
    if not isinstance(parts, Array):
        return Content(None)
    items = tuple(one for value in parts.items for one in translate(value))
    results = tuple(
        block
        for block in items
        if isinstance(block, Object)
        and is_result(block)
        and (block.text("tool_use_id") is not None or isinstance(block, Translated))
    )
    if len(items) == len(results) == 1 and results[0].text("type") == "tool_result":
        return Content(parts, items, results[0])
    if message.text("role") in ("tool", "function") and not any(
        isinstance(one, Translated) for one in results
    ):
        return Content(parts, items)
    return Content(parts, items, None, results)


def is_result(block: Object) -> bool:
    """Return whether a block is a result: of a tool of the client, or one that the server ran."""
    kind = block.text("type") or ""
    if block.text("tool_use_id") is not None:
        return kind == "tool_result" or kind.endswith("_tool_result")
    return kind == "tool_result" and isinstance(block.get("content"), String | Array)


def parse_parts(message: Object, content: Content) -> Iterator[Part]:
    """Yield the content parts of a message: reasoning, content, refusal, spoken answer."""
    found: list[Part] = [*_parse_reasoning(message)]
    provider, name = find_provider(message)
    if provider is not None:
        found += _parse_reasoning(provider, prefix=f"{name}.")
    found += _parse_content_fields(message, content)
    places = [at for at, part in enumerate(found) if isinstance(part, Text)]
    quoted = find_provider_quoted(provider) if provider else {}
    if quoted and places and isinstance(last := found[places[-1]], Text):
        # The same ones may be in the text and in several fields.
        cited = {one.source: one for one in chain(last.cited, *quoted.values())}
        found[places[-1]] = replace(last, cited=tuple(cited.values()))
    parts = tuple(join_reasoning(found))
    thought = find_repeated(parts) if message.text("role") in WRITERS else None
    for part in parts:
        if thought and isinstance(part, Reasoning) and is_same_thought(part.text, thought.text):
            part = replace(part, field=f"{part.field}, {thought.tag}")
        yield part
    yield from _parse_text_field(message, "refusal")
    audio = message.get("audio")
    if isinstance(audio, Object):
        yield Audio.parse(audio)
    else:
        yield from keep_unknown(audio, "audio")


def find_provider(message: Object) -> tuple[Object | None, str]:
    """Find the fields of the provider in a message, and the name of the member that has them."""
    found = ((message.object(name), name) for name in PROVIDER_FIELDS)
    return next((one for one in found if one[0] is not None), (None, ""))


def find_provider_rest(provider: Object, parts: Sequence[Part]) -> tuple[Member, ...] | None:
    """Find the members of the fields of a provider that no part shows; None if they are all."""
    read: dict[str, type] = dict.fromkeys((*REASONING_FIELDS, *DETAIL_FIELDS), object)
    if any(isinstance(part, Text) for part in parts):
        read |= dict.fromkeys(find_provider_quoted(provider), Array)
    rest = provider.find_unread(**read)
    return rest if len(rest) < len(provider.find_unread()) else None


def parse_content(content: Value | None, *, depth: int = 0) -> Iterator[Part]:
    """Yield the parts of a `content`: a text, a list of parts, or anything else.

    A call among them, which `parse_calls` reads only from the content of a message itself, is an
    `Unknown`. `depth` is the number of elements that the content is within.
    """
    if isinstance(content, String):
        if content.text:
            yield Text(json=content, text=content.text)
    elif is_readable_list(content):
        for value in content.items:
            for one in translate(value):
                yield from _parse_element(one, depth=depth)
    else:
        yield from keep_unknown(content, "content")


def parse_calls(message: Object, content: Content) -> Iterator[Call]:
    """Yield the tool calls of a message, the deprecated `function_call` last.

    A block of its content that repeats one of `tool_calls`, as LangChain writes it, is left out.
    """
    calls = message.get("tool_calls")
    known: set[tuple[str | None, ...]] = set()
    if isinstance(calls, Object) and (call := ToolCall.parse(calls)):
        yield call
    elif is_readable_list(calls):
        for value in calls.items:
            kind = (value.text("type") or "function") if isinstance(value, Object) else None
            call = ToolCall.parse(value) if isinstance(value, Object) else None
            known |= {_identify(call)} if call else set()
            yield call or Unknown(json=value, label=f"tool call {kind}" if kind else "tool call")
    else:
        yield from keep_unknown(calls, "tool_calls")
    for value in content.items:
        call = _parse_call_block(value)
        if call and (call.extras or not call.id or _identify(call) not in known):
            yield call
    deprecated = message.get("function_call")
    if isinstance(deprecated, Object) and is_filler(deprecated):
        return
    if isinstance(deprecated, Object):
        yield ToolCall.parse_function_call(deprecated)
    else:
        yield from keep_unknown(deprecated, "function_call")


def _identify(call: ToolCall) -> tuple[str | None, ...]:
    """Return what two calls have in common if they are the same, however their JSON is spaced."""
    return call.id, call.name, "".join((call.arguments or "").split())


def is_filler(function_call: Object) -> bool:
    """Return whether a `function_call` calls nothing, as from servers that fill all fields."""
    is_known = {"name", "arguments"}.issuperset(function_call.names())
    return is_known and all(one.value.source in ('""', "null") for one in function_call.members)


def _parse_reasoning(holder: Object, *, prefix: str = "") -> Iterator[Part]:
    """Yield the reasoning in the fields of a message, or of another object of this prefix."""
    for name in REASONING_FIELDS:
        yield from _parse_text_field(holder, name, label=prefix + name)
    for name in DETAIL_FIELDS:
        details = holder.get(name)
        if details is not None and not isinstance(details, Null):
            yield from parse_details(details, prefix + name)


def _parse_text_field(message: Object, name: str, *, label: str = "") -> Iterator[Part]:
    """Yield the part in a field that holds one text: a refusal or reasoning."""
    value = message.get(name)
    label = label or name
    if value is None:
        return
    if isinstance(value, String):
        if value.text and name == "refusal":
            yield Refusal(json=value, text=value.text)
        elif value.text:
            yield Reasoning(json=value, text=value.text, field=label)
    elif value and name != "refusal" and (isinstance(value, Object) or message.items(name)):
        yield from parse_details(value, label)
    else:
        yield from keep_unknown(value, label)


def _parse_content_fields(message: Object, read: Content) -> Iterator[Part]:
    """Yield the parts of `content_parts` if there are any, else those of `content`.

    A `content` beside them is a separate part unless it only repeats their texts. Of a result
    that is all the content, the parts are its own: the message has its other members.
    """
    parts, content = read.parts, message.get("content")
    given = message.get("content_parts")
    if given is not parts and message.items("content_parts") != ():
        yield from keep_unknown(given, "content_parts")
    if parts is None:
        yield from parse_content(content)
        return
    if read.result is not None:
        yield from parse_content(read.result.get("content"))
    else:
        for value in read.items:
            if _parse_call_block(value) is None:
                yield from _parse_element(value)
    if isinstance(content, String):
        if not _repeats(content.text, read.items):
            yield Text(json=content, text=content.text)
    elif content is not None and content is not parts and content.source != parts.source:
        yield from keep_unknown(content, "content")


def _repeats(content: str, parts: Sequence[Value]) -> bool:
    """Return whether `content` is only the texts of `parts`: of all, or of those of type `text`.

    They may have been joined by any white space.
    """
    texts = [
        (value, part.text)
        for value in parts
        if not (isinstance(value, Object) and is_call_or_result(value))
        for part in _parse_element(value)
        if isinstance(part, Text)
    ]
    plain = (
        text
        for value, text in texts
        if not isinstance(value, Object) or value.text("type") == Text.kind
    )
    words = "".join(content.split())
    joined = ("".join(text for _, text in texts), "".join(plain))
    return not words or words in ("".join(text.split()) for text in joined)


def _parse_call_block(value: Value) -> ToolCall | None:
    """Parse a content part that is a call in Anthropic's API."""
    is_call = isinstance(value, Object) and value.text("type") in CALL_BLOCKS
    return ToolCall.parse_tool_use(value) if is_call and isinstance(value, Object) else None


def _parse_element(value: Value, *, depth: int = 0) -> Iterator[Part]:
    """Yield the parts of one element of a content list: those within it, or itself."""
    if isinstance(value, String):
        yield Text(json=value, text=value.text)
        return
    if not isinstance(value, Object):
        yield Unknown(json=value, label="content part")
        return
    kind = value.text("type") or ""
    may_have_inner = depth < _MAX_DEPTH
    if may_have_inner and is_result(value):
        # The id of one of several results is shown with the first of its parts.
        read: dict[str, type] = {"type": String} if kind == "tool_result" else {}
        extras = value.find_unread(**read, content=object)
        inner = tuple(parse_content(value.get("content"), depth=depth + 1))
        first, *others = inner or (Text(json=value, text=""),)
        yield replace(first, extras=extras + first.extras)
        yield from others
        return
    if may_have_inner and (inner := _parse_inner(value, depth=depth)):
        yield from inner
        return
    if kind in THOUGHTS and (thoughts := parse_thoughts(value)):
        yield thoughts
        return
    parser = _PARSERS.get(kind)
    part = parser(value) if parser else None
    yield part or Unknown(json=value, label=f"content part {kind}" if kind else "content part")


def _parse_inner(value: Object, *, depth: int) -> tuple[Part, ...]:
    """Parse the parts within an element, if it has some; its other members are with the first."""
    outer, holder, name = _find_inner(value)
    parts = tuple(parse_content(holder.get(name), depth=depth + 1) if holder else ())
    if holder is None or not parts or isinstance(parts[0], Unknown):
        return ()
    own_type = {"type": String} if value.text("type") == Text.kind else {}
    extras = value.find_unread(**own_type, **{outer or name: object})
    if outer:
        extras += holder.find_unread(type=String, **{name: object})
    return (replace(parts[0], extras=extras + parts[0].extras), *parts[1:])


def _find_inner(value: Object) -> tuple[str, Object | None, str]:
    """Find the member of an element that has parts or a text within, its object, and their name.

    These are documents and search results of Anthropic's API, resources of MCP, and texts of the
    Assistants API. No name is the element itself.
    """
    kind = value.text("type")
    if kind == "document":
        source = value.object("source")
        is_text = source is not None and source.text("type") == "text"
        return "source", source, "data" if is_text else "content"
    if kind in ("resource", "text"):
        return kind, value.object(kind), "text" if kind == "resource" else "value"
    return "", value if kind == "search_result" else None, "content"
