"""Hold one completion for the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final, Literal, TypeAlias, assert_never

from webapp.completions import Completion, Tool
from webapp.conversations import PromptDifference
from webapp.exact_json import Object, String, Value
from webapp.messages import Message, Text, ToolCall
from webapp.transcript import CallEntry, Entry, arrange, build_output_entries

WRAPPERS: Final = ("multi_tool_use.parallel", "multi_tool_use", "parallel")
"""The names of OpenAI's internal wrapper of parallel calls."""

MISTRAL: Final = re.compile(
    r"mistral|ministral|magistral|mixtral|codestral|pixtral|devstral", re.IGNORECASE
)
"""Found in the names of Mistral's models."""


Topic: TypeAlias = Literal["completion", "calls", "tools"]
"""The subject of a rule: any completion, its calls, or the tools of its request."""


class Need(Enum):
    """Data that a server may not send; the value says so in a sentence."""

    MESSAGES = "not all messages of the transcript were read"
    CALLS = "this server returns no tool calls of earlier turns"
    TOOLS = "this server returns no tool definitions"
    COMPLETION = "the completion could not be read"
    OPENAI = "this server is not OpenAI's, and others retire their models at other times"


@dataclass(frozen=True)
class Subject:
    """One completion as the rules read it: `entries` and `outputs` paired, in request order.

    `outputs` are the answers, whether or not the server lists them among the messages.
    `is_whole` is true if `entries` are all messages, `is_openai` if OpenAI's own server sent them.
    `parting` is where the prompt parts from that of the request it continues, if that is known.
    """

    completion: Completion | None
    entries: tuple[Entry, ...]
    outputs: tuple[Entry, ...]
    is_whole: bool
    is_openai: bool = False
    parting: PromptDifference | None = None

    @classmethod
    def from_entries(
        cls,
        entries: Sequence[Entry],
        completion: Completion | None,
        *,
        is_whole: bool,
        is_openai: bool = False,
        parting: PromptDifference | None = None,
    ) -> Subject:
        """Create a subject from the messages and the outputs of a transcript."""
        messages: list[Entry] = []
        outputs: list[Entry] = []
        for entry in entries:
            (messages if entry.choice is None else outputs).append(entry)
        return cls(completion, tuple(messages), tuple(outputs), is_whole, is_openai, parting)

    @classmethod
    def from_document(cls, json: Value, parting: PromptDifference | None = None) -> Subject:
        """Create a subject from a completion that has its messages, such as an exported one."""
        completion = Completion.from_json(json)
        items = json.items("messages") if isinstance(json, Object) else None
        entries = arrange([Message.from_json(item) for item in items or ()], first=1)
        outputs = build_output_entries(completion.choices)
        return cls.from_entries((*entries, *outputs), completion, is_whole=True, parting=parting)

    def lacks(self, need: Need) -> bool:
        """Return whether the server did not send the data of `need`."""
        match need:
            case Need.MESSAGES:
                return not self.is_whole
            case Need.COMPLETION:
                return self.completion is None
            case Need.OPENAI:
                return not self.is_openai
            case Need.TOOLS:
                return not self.tools and next(self.iter_calls(), None) is not None
            case Need.CALLS:
                lacks_calls = False
                for entry in self.entries:
                    if entry.calls:
                        return False
                    message = entry.message
                    is_bare_result = message.role == "tool" and message.has_only_input_keys
                    lacks_calls = lacks_calls or is_bare_result or message.may_lack_calls
                return lacks_calls
            case _:
                assert_never(need)

    @cached_property
    def tools(self) -> tuple[Tool, ...]:
        """The tools and deprecated functions of the request."""
        return self.completion.tools if self.completion else ()

    @cached_property
    def topics(self) -> frozenset[Topic]:
        """The topics of rules that the completion has."""
        topics: set[Topic] = {"completion"}
        if self.tools:
            topics.add("tools")
        if any(entry.calls for entry in (*self.entries, *self.outputs)):
            topics.add("calls")
        return frozenset(topics)

    def get_setting(self, name: str) -> Value | None:
        """Look up a member of the request's settings; None if it was not sent."""
        settings = self.completion.settings if self.completion else ()
        return next((one.value for one in settings if one.name.text == name), None)

    def read_demand(self, setting: str) -> tuple[str | None, str | None]:
        """Read the name of the tool that must be called, and the mode, such as `required`.

        `setting` is `tool_choice` or the deprecated `function_call`. Other APIs have the name or
        the mode beside the type, and `allowed_tools` has it within.
        """
        asked = self.get_setting(setting)
        if isinstance(asked, String):
            return None, asked.text
        if not isinstance(asked, Object):
            return None, None
        kind = asked.text("type") or "function"
        holder = asked.object(kind) or asked
        return holder.text("name"), holder.text("mode") or kind

    @property
    def model(self) -> str:
        return (self.completion.model if self.completion else None) or ""

    def iter_calls(self) -> Iterator[CallEntry]:
        """Yield the calls of the messages, then those of the answers."""
        for entry in (*self.entries, *self.outputs):
            yield from entry.calls

    def iter_tool_calls(self) -> Iterator[tuple[CallEntry, ToolCall]]:
        """Yield the calls of a known form, each with its parsed `ToolCall`."""
        for call in self.iter_calls():
            if isinstance(call.call, ToolCall):
                yield call, call.call

    def iter_results(self) -> Iterator[Entry]:
        """Yield the results of tools: messages, or the pieces of those that hold several."""
        for entry in self.entries:
            for piece in entry.pieces or (entry,):
                if piece.message.is_tool_result:
                    yield piece

    @property
    def response_schema(self) -> Object | None:
        """The `json_schema` of `response_format`."""
        asked = self.get_setting("response_format")
        holder = asked.object("json_schema") if isinstance(asked, Object) else None
        return holder.object("schema") if holder else None

    @property
    def response_type(self) -> str | None:
        """The type of `response_format`; None if it was not sent."""
        asked = self.get_setting("response_format")
        if isinstance(asked, Object):
            return asked.text("type")
        return asked.text if isinstance(asked, String) else None


def join_texts(message: Message) -> str:
    """Join the texts of a message without its refusal and its reasoning."""
    return "\n".join(part.text for part in message.parts if isinstance(part, Text))
