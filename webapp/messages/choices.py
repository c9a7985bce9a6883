"""Choices: the answers of a completion, each with its message and finish reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from webapp.exact_json import Array, Integer, Member, Null, Object, String, Value
from webapp.messages.citing import find_choice_messages, find_grounding, merge_lists, parse_listed
from webapp.messages.filter_reports import FilterReport, split_reports
from webapp.messages.message import Message, is_plain
from webapp.messages.parts import Text, Unknown, UrlCitation, is_readable_list

LIMIT_REASONS: Final = frozenset(
    {
        *("length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "max_length", "model_length"),
        "model_context_window_exceeded",
    }
)
"""Finish reasons for answers that reached a limit of tokens: the API's, and those that gateways
pass on from Anthropic, Gemini, the Responses API, Mistral and Zhipu."""

FILTER_REASONS: Final = frozenset(
    {
        *("content_filter", "content_filtered", "guardrail_intervened", "sensitive", "SAFETY"),
        *("RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
    }
)
"""Finish reasons for answers that a filter cut: the API's, and those of Bedrock, Zhipu, Gemini."""

REFUSAL_REASONS: Final = frozenset({"refusal"})
"""Finish reasons for answers that are refusals: Anthropic's, which gateways pass on."""

_GROUNDING_OF_GATEWAY: Final = "vertex_ai_grounding_metadata"
"""The member in which LiteLLM has the grounding of each choice."""

_PLAIN_MEMBERS: Final = frozenset({"index", "message", "finish_reason", "logprobs"})
_NOTHING: Final = frozenset({"null", '""', "[]"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer; `index` is the API's, `also_sent` are the members not read here.

    `logprobs` are None unless they hold a list of tokens; `reports` are the findings of content
    filters.
    """

    json: Value
    index: int | None
    message: Message | None
    finish_reason: str | None
    logprobs: Object | None = None
    reports: tuple[FilterReport, ...] = ()
    also_sent: tuple[Member, ...] = ()

    @classmethod
    def from_json(cls, json: Value, cited: Sequence[UrlCitation] = ()) -> Choice:
        """Parse a choice; `cited` are the sources that its completion lists."""
        if not isinstance(json, Object):
            return cls(json, None, None, None)
        if not cited and (plain := _read_plain(json)):
            index, sent, reason = plain
            return cls(json, index, Message.from_json(sent), reason)
        source = name_answer(json)
        message = json.get(source)
        logprobs = json.object("logprobs")
        if logprobs is not None and next(_iter_tokens(logprobs), None) is None:
            logprobs = None
        read: dict[str, type] = {"logprobs": Object} if logprobs else {}
        read |= {"index": Integer, "message": object, source: object, "finish_reason": String}
        parsed = None
        found = find_choice_messages(json)
        if found is not None and isinstance(message, Null | None):
            message = found[0]
        elif found is not None and not _repeats(message, found[0]):
            found = None
        if found is not None:
            read["messages"] = Array
        if message is not None and not isinstance(message, Null):
            parsed = Message.from_json(message, cited)
            if found is not None:
                parsed = parsed.add_tool_sources(found[1])
            if grounding := find_grounding(json):
                parsed = parsed.add_grounding(grounding)
        text = json.get("text")
        if (parsed is None or parsed.is_empty) and isinstance(text, String) and text.text:
            # The older API of completions, which has no messages.
            parsed = Message(text, parts=(Text(json=text, text=text.text),), bare=text)
            read["text"] = String
        reports, also_sent = split_reports(json.find_unread(**read))
        return cls(
            json,
            index=json.integer("index"),
            message=parsed,
            finish_reason=json.text("finish_reason"),
            logprobs=logprobs,
            reports=reports,
            also_sent=also_sent,
        )

    @property
    def reached_limit(self) -> bool:
        """Whether the answer was cut off at a limit of tokens."""
        return self.finish_reason in LIMIT_REASONS

    @property
    def was_filtered(self) -> bool:
        """Whether a filter cut the answer, by its finish reason."""
        return self.finish_reason in FILTER_REASONS

    @property
    def was_refused(self) -> bool:
        """Whether the model refused to answer, by its finish reason."""
        return self.finish_reason in REFUSAL_REASONS

    @property
    def message_or_empty(self) -> Message:
        """The message, or an empty one if there is none."""
        if self.message is not None:
            return self.message
        odd = () if isinstance(self.json, Object) else (Unknown(json=self.json, label="choice"),)
        return Message(self.json, parts=odd)

    @property
    def token_count(self) -> int:
        """The number of tokens whose probability is in `logprobs`."""
        return len(tuple(_iter_tokens(self.logprobs))) if self.logprobs else 0


def name_answer(choice: Object) -> str:
    """Return the name of the member of a choice that has its answer, usually `message`.

    Some logs keep the last chunk of a stream, whose `delta` is then the whole message.
    """
    message, delta = choice.get("message"), choice.object("delta")
    if not isinstance(message, Object):
        return "delta" if isinstance(message, Null | None) else "message"
    is_blank = all(
        one.name.text == "role" or one.value.source in _NOTHING for one in message.members
    )
    return "delta" if is_blank and delta and delta.members else "message"


def list_choices(completion: Object) -> tuple[Choice, ...]:
    """Parse the choices of a completion, and nothing else of it."""
    return parse_choices(completion)[0]


def parse_choices(completion: Object) -> tuple[tuple[Choice, ...], Collection[str]]:
    """Parse the choices, and the names of the lists of sources that their texts cite."""
    value = completion.get("choices")
    items = value.items if is_readable_list(value) else ()
    choices = tuple(map(Choice.from_json, items))
    grounding = completion.items(_GROUNDING_OF_GATEWAY)
    if grounding and len(grounding) == len(choices):
        choices = tuple(
            replace(choice, message=choice.message.add_grounding(metadata))
            if choice.message is not None and isinstance(metadata, Object)
            else choice
            for choice, metadata in zip(choices, grounding, strict=True)
        )
    # A gateway may repeat as `citations` the annotations of the message, which are more exact.
    listed = parse_listed(completion)
    answers = [choice.message for choice in choices if choice.message]
    if not listed or not answers or any(answer.annotations for answer in answers):
        return choices, ()
    cited = merge_lists(tuple(listed.values()))
    return tuple(Choice.from_json(one, cited) for one in items), listed.keys()


def list_plain(completion: Object) -> list[tuple[str, Object]] | None:
    """List the finish reason and the message of each choice, if `list_choices` finds no more.

    None if one has more, or the completion may have more about one.
    """
    value = completion.get("choices")
    items = value.items if is_readable_list(value) else ()
    plain = [_read_plain(one) for one in items if isinstance(one, Object)]
    found = [(one[2], one[1]) for one in plain if one is not None and is_plain(one[1])]
    if len(found) < len(items) or _GROUNDING_OF_GATEWAY in completion.names():
        return None
    return None if parse_listed(completion) else found


def _read_plain(json: Object) -> tuple[int | None, Object, str] | None:
    """Read the index, message and finish reason of a choice that has only the usual members."""
    values = json.values()
    if not _PLAIN_MEMBERS.issuperset(values) or len(values) < len(json.members):
        return None
    index, message = json.integer("index"), values.get("message")
    reason, logprobs = values.get("finish_reason"), values.get("logprobs")
    if not isinstance(message, Object) or not isinstance(reason, String):
        return None
    if index is None and "index" in values:
        return None
    if logprobs is not None and not isinstance(logprobs, Null):
        return None
    return index, message, reason.text


def _repeats(message: Value | None, answer: Object) -> bool:
    """Return whether a message has all that an answer has, as our own server writes it again."""
    if not isinstance(message, Object):
        return False
    given = ((one.value, message.get(one.name.text)) for one in answer.members)
    return all(
        isinstance(value, Null) or (copied is not None and copied.source == value.source)
        for value, copied in given
    )


def _iter_tokens(logprobs: Object) -> Iterator[Value]:
    for name in ("content", "refusal"):
        yield from logprobs.items(name) or ()
