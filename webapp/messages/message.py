"""Hold one message with everything it carries, and find the positions of its texts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from webapp import exact_json
from webapp.exact_json import Array, Member, Null, Object, String, Value
from webapp.messages.citing import (
    merge_lists,
    parse_context,
    parse_grounding,
    parse_listed,
    parse_ranges,
    parse_tool_sources,
    place_cited,
)
from webapp.messages.native_parts import PART_LISTS
from webapp.messages.parsing import (
    REASONING_FIELDS,
    WRITERS,
    Content,
    find_provider,
    find_provider_rest,
    is_filler,
    parse_calls,
    parse_parts,
    read_content,
)
from webapp.messages.parts import (
    Annotation,
    Call,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
    name_part,
    parse_annotations,
)
from webapp.messages.reasoning import DETAIL_FIELDS
from webapp.messages.think_tags import remove_reasoning, split_reasoning

BARE: Final = "readback_value"
"""Beside an id, the name of a message that is not an object, as our own store sends it."""

INPUT_KEYS: Final = frozenset({"id", "role", "content", "content_parts", "name"})
"""All keys that api.openai.com sends of an input message; an answer has others."""

ERROR_FLAGS: Final = ("is_error", "isError")
"""The members of a result that mark it as an error, in Anthropic's API and in MCP."""

_ERROR_MARKS: Final = frozenset(
    {
        *(("status", '"error"'), ("state", '"output-error"'), ("outcome", '"OUTCOME_FAILED"')),
        *(("outcome", '"OUTCOME_DEADLINE_EXCEEDED"'), ("type", '"tool-error"')),
        *(("type", '"error-text"'), ("type", '"error-json"')),
        *((name, "true") for name in ERROR_FLAGS),
    }
)
"""The members that do so, with their values: those of Bedrock, the AI SDK and Gemini too."""

MAX_RESULTS: Final = 200
"""Results in one message that are shown under their calls; no model calls more tools at once."""

_QUOTED: Final = (Text, Refusal)
_WRITTEN: Final = (Text, Refusal, Reasoning)

# A null for tool calls means that there were none; a null refusal means nothing.
_WITHOUT_CALLS: Final = INPUT_KEYS | {"refusal"}

# The members that are parsed; for those of type `object`, any value is.
_READ: Final = dict.fromkeys(("id", "role", "name", "tool_call_id"), String) | dict.fromkeys(
    ("content", "content_parts", "refusal", "audio", "tool_calls", "function_call")
    + ("annotations", *REASONING_FIELDS, *DETAIL_FIELDS),
    object,
)

_TEXT_MEMBERS: Final = frozenset({"id", "role", "content", "name", "tool_call_id"})
_NULL_MEMBERS: Final = _TEXT_MEMBERS | {
    *("refusal", "annotations", "audio", "tool_calls", "function_call")
}
"""Those of a message that says nothing but one text, and those that may be null in it."""

Piece: TypeAlias = Part | Call


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `json` is its source exactly as sent.

    `bare` is the message itself if it is not an object: a text, a number, a list, a null.

    `holds_result` is true if its content is one `tool_result` block of Anthropic's API, whatever
    its role. If its content has several, or other parts besides, `results` has each of them as a
    separate message, made of the same parts.
    """

    json: Value
    id: str | None = None
    role: str | None = None
    name: str | None = None
    parts: tuple[Part, ...] = ()
    calls: tuple[Call, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    tool_call_id: str | None = None
    also_sent: tuple[Member, ...] = ()
    holds_result: bool = False
    results: tuple[Message, ...] = ()
    bare: Value | None = None
    _sent: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def from_json(cls, json: Value, cited: Sequence[UrlCitation] = ()) -> Message:
        """Parse a message; `cited` are the sources that its completion lists for its text."""
        if not isinstance(json, Object):
            return cls(json, parts=(Unknown(json=json, label="message"),), bare=json)
        if not cited and is_plain(json) and len(json.values()) == len(json.members):
            return cls._from_plain(json)
        bare = json.get(BARE)
        if bare and not isinstance(bare, Object) and set(json.names()) == {"id", BARE}:
            return replace(cls.from_json(bare), json=json, id=json.text("id"), bare=bare)
        content = read_content(json)
        result = content.result
        read, beyond = _list_read(json, content)
        role = json.text("role")
        in_context, others = parse_context(json)
        if in_context:
            cited = in_context
            beyond += others
            read["context"] = Object
        elif role in WRITERS and not json.items("annotations") and (own := parse_listed(json)):
            # Some gateways move the lists of the completion into its message.
            cited = merge_lists(tuple(own.values()))
            read |= dict.fromkeys(own, Array)
        ranges = parse_ranges(json.items("citations")) if role in WRITERS else ()
        if ranges:
            read["citations"] = Array
        parts = tuple(parse_parts(json, content))
        provider, holder = find_provider(json)
        if provider and (rest := find_provider_rest(provider, parts)) is not None:
            beyond += rest
            read[holder] = Object
        listed = place_cited(cited, _get_only_text(parts))
        return cls(
            json,
            id=json.text("id"),
            role=role,
            name=json.text("name") or (result.text("name") if result else None),
            parts=parts,
            calls=tuple(parse_calls(json, content)),
            annotations=(*parse_annotations(json), *ranges, *listed),
            tool_call_id=result.text("tool_use_id") if result else json.text("tool_call_id"),
            also_sent=json.find_unread(**read) + beyond,
            holds_result=result is not None,
            results=_build_results(content.results, role, parts),
            _sent=frozenset(json.names()),
        )

    @classmethod
    def _from_plain(cls, json: Object) -> Message:
        """Parse a plain message without duplicate members, as `from_json` does in more steps."""
        content = json.get("content")
        has_text = isinstance(content, String) and content.text
        return cls(
            json,
            id=json.text("id"),
            role=json.text("role"),
            name=json.text("name"),
            parts=(Text(json=content, text=has_text),) if content and has_text else (),
            tool_call_id=json.text("tool_call_id"),
            _sent=frozenset(json.values()),
        )

    def add_grounding(self, metadata: Object) -> Message:
        """Add the sources in the metadata of grounding that Gemini sends beside a message."""
        cited = parse_grounding(metadata, _get_only_text(self.parts))
        return replace(self, annotations=(*self.annotations, *cited)) if cited else self

    def add_tool_sources(self, tools: Sequence[Object]) -> Message:
        """Add the sources and other members of the messages of tools that came with an answer."""
        read = [parse_tool_sources(tool) for tool in tools]
        cited = [source for sources, _ in read for source in sources]
        others = tuple(member for _, members in read for member in members)
        listed = place_cited(cited, _get_only_text(self.parts))
        return replace(
            self,
            annotations=(*self.annotations, *listed),
            also_sent=self.also_sent + others,
        )

    @property
    def given(self) -> Value:
        """The JSON to show: what was given, without the object that our store puts around it."""
        return self.json if self.bare is None else self.bare

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show but the role."""
        return not (self.parts or self.calls or self.annotations or self.also_sent)

    @property
    def has_empty_text(self) -> bool:
        """Whether its content, or that of its only result, is a text without characters."""
        if not isinstance(self.json, Object):
            return False
        return (read_content(self.json).result or self.json).text("content") == ""

    @property
    def has_only_calls(self) -> bool:
        """Whether there is nothing to show but tool calls."""
        is_blank = all(isinstance(part, Text) and not part.text.strip() for part in self.parts)
        is_known = all(isinstance(call, ToolCall) for call in self.calls)
        return bool(self.calls) and is_blank and is_known and not (self.name or self.also_sent)

    @property
    def may_lack_calls(self) -> bool:
        """Whether tool calls may be missing: true for an empty assistant message of input keys.

        api.openai.com returns an earlier turn that only called tools as `content: null`.
        """
        return self.is_empty and self.role == "assistant" and self._sent <= _WITHOUT_CALLS

    @property
    def has_only_input_keys(self) -> bool:
        return self._sent <= INPUT_KEYS

    @property
    def speaker(self) -> str | None:
        """The role; `tool` for a user message of results alone, as Anthropic's API has them."""
        return "tool" if self.role == "user" and self.holds_only_results else self.role

    @property
    def is_of_model(self) -> bool:
        """Whether a model wrote it, as far as its role says."""
        return self.role in WRITERS

    @property
    def is_tool_result(self) -> bool:
        return self.holds_result or self.role in ("tool", "function")

    @property
    def error_flag(self) -> str | None:
        """The member that marks a result as an error, if one does, such as `is_error: true`."""
        for members in (self.also_sent, *(part.extras for part in self.parts)):
            for member in members:
                if (member.name.text, member.value.source) in _ERROR_MARKS:
                    words = member.value.source.strip('"')
                    return f"{member.name.text}: {words}"
        return None

    @property
    def holds_only_results(self) -> bool:
        """Whether every part belongs to one of several results."""
        shown = sum(len(result.parts) for result in self.results)
        return self.holds_result or (shown > 0 and shown == len(self.parts))

    def list_results(self) -> tuple[Message, ...]:
        """List the tool results in it: the message itself if it is one."""
        return self.results or ((self,) if self.is_tool_result else ())

    @property
    def text_count(self) -> int:
        """The number of text parts: the offsets of citations are clear only if it is one."""
        return sum(isinstance(part, Text) for part in self.parts)

    @property
    def has_text(self) -> bool:
        """Whether there is text with a source to show or to copy."""
        return any(isinstance(part, _WRITTEN) for part in self.parts)

    @property
    def plain_text(self) -> str:
        """All text a reader would quote, one blank line between parts.

        Beside results this is the text of the message's own, without that of the results.
        """
        own: Sequence[Part] = self.parts
        if self.results:
            theirs = {id(part) for result in self.results for part in result.parts}
            own = [part for part in own if id(part) not in theirs] or own
        return "\n\n".join([part.text for part in own if isinstance(part, _QUOTED)])

    @property
    def part_names(self) -> tuple[str, ...]:
        """The names of the parts that are no texts, each once."""
        return tuple(dict.fromkeys(filter(None, map(name_part, self.parts))))

    @property
    def said(self) -> str:
        """The same, of a model without reasoning between tags before the answer."""
        return remove_reasoning(self.plain_text) if self.is_of_model else self.plain_text

    @property
    def lone_reasoning(self) -> str:
        """The reasoning of a model that says nothing; empty beside calls unless between tags."""
        text = self.plain_text
        if not text.strip():
            thoughts = [part.text for part in self.parts if isinstance(part, Reasoning)]
            return "" if self.calls else "\n\n".join(thoughts)
        thought = split_reasoning(text) if self.is_of_model else None
        return thought.text if thought and remove_reasoning(text) == text else ""


def _list_read(json: Object, content: Content) -> tuple[dict[str, type], tuple[Member, ...]]:
    """Return the names and types that parsing reads of a message, and what it leaves of a result.

    A call id other than that of the result and an empty `function_call` are not read.
    """
    read: dict[str, type] = dict(_READ)
    beyond: tuple[Member, ...] = ()
    if result := content.result:
        beyond = result.find_unread(type=String, tool_use_id=String, name=String, content=object)
        if result.text("tool_use_id") != json.text("tool_call_id"):
            del read["tool_call_id"]
    given = (name for name in PART_LISTS if content.parts and json.get(name) is content.parts)
    read |= dict.fromkeys(given, Array)
    called = json.object("function_call")
    if called and is_filler(called):
        del read["function_call"]
    return read, beyond


def _get_only_text(parts: Sequence[Part]) -> str | None:
    texts = [part.text for part in parts if isinstance(part, Text)]
    return texts[0] if len(texts) == 1 else None


def is_plain(message: Object) -> bool:
    """Return whether a message says nothing but one text, as most do, which needs no parts."""
    for name, value in message.values().items():
        if isinstance(value, String):
            if name not in _TEXT_MEMBERS:
                return False
        elif isinstance(value, Array):
            # OpenAI sends an empty one with every answer.
            if name != "annotations" or value.items:
                return False
        elif name not in _NULL_MEMBERS or not isinstance(value, Null):
            return False
    return True


def _build_results(
    blocks: Sequence[Object], role: str | None, parts: Sequence[Part]
) -> tuple[Message, ...]:
    """Build several results of one message, each with its share of the `parts`."""
    if len(blocks) > MAX_RESULTS:
        return ()
    ordered = sorted(parts, key=lambda part: part.json.start)
    results = []
    for block in blocks:
        first = bisect_left(ordered, block.start, key=lambda part: part.json.start)
        end = bisect_left(ordered, block.end, key=lambda part: part.json.start)
        if first < end:
            results.append(
                Message(
                    block,
                    role=role,
                    name=block.text("name"),
                    parts=tuple(ordered[first:end]),
                    tool_call_id=block.text("tool_use_id"),
                    holds_result=True,
                )
            )
    return tuple(results)


def get_text(piece: Piece) -> str | None:
    """Return the text of a content part or call as shown; None for media, which have none.

    The text of an `Unknown` is its JSON, indented.
    """
    if isinstance(piece, _WRITTEN):
        return piece.text
    if isinstance(piece, ToolCall):
        return piece.arguments
    if isinstance(piece, Unknown):
        return exact_json.indent(piece.json)
    return None


def list_pieces(message: Message) -> tuple[Piece, ...]:
    """List the content parts of a message, then its calls; URLs contain positions in this."""
    return (*message.parts, *message.calls)


def find_position(message: Message, piece: Piece) -> int | None:
    """Find the position of `piece` itself, not of an equal one, in `message`."""
    places = (at for at, one in enumerate(list_pieces(message)) if one is piece)
    return next(places, None)
