"""Check documented limits of the API, orders that some models refuse, and what is deprecated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from webapp.analysis.checks.rules import Found, quote, rule
from webapp.analysis.checks.subject import MISTRAL, Need, Subject
from webapp.completions import MAX_METADATA_KEY, MAX_METADATA_PAIRS, MAX_METADATA_VALUE
from webapp.exact_json import Null, Number, String

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FIXED_SETTINGS: Final = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}
"""Settings of which reasoning models take the default alone."""

_REASONING_MODEL: Final = re.compile(
    r"(?:.*/)?(?:ft:)?(?:o[134](?:-|$)|gpt-5(?!.*-chat))", re.IGNORECASE
)

COLLECTED: Final = "2026-11-28"
"""The day on which the dates were collected, from quotations and an archived copy of
https://developers.openai.com/api/docs/deprecations; only that page is authoritative."""

_RETIRED: Final[dict[str, str]] = {
    "2025-07-14": "gpt-4.5-preview gpt-4.5-preview-2025-02-27",
    "2025-07-28": "o1-preview o1-preview-2024-09-12",
    "2025-10-27": "o1-mini o1-mini-2024-09-12",
    "2026-02-17": "chatgpt-4o-latest",
    "2026-07-23": "gpt-4o-audio-preview-2024-12-17 gpt-4o-mini-audio-preview-2024-12-17"
    " gpt-4o-mini-search-preview-2025-03-11 gpt-4o-search-preview-2025-03-11 gpt-5-chat-latest"
    " gpt-5.1-chat-latest gpt-audio-mini-2025-10-06",
    "2026-10-23": "gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-4 gpt-4-0613 gpt-4-1106-preview gpt-4-turbo"
    " gpt-4-turbo-2024-04-09 gpt-4o-2024-05-13 o1 o1-2024-12-17 o1-pro o1-pro-2025-03-19 o3-mini"
    " o3-mini-2025-01-31 o4-mini o4-mini-2025-04-16 gpt-4.1-nano gpt-4.1-nano-2025-04-14",
    "2026-12-11": "gpt-5 gpt-5-2025-08-07 gpt-5-mini gpt-5-mini-2025-08-07 gpt-5-nano"
    " gpt-5-nano-2025-08-07 gpt-5-pro gpt-5-pro-2025-10-06 o3 o3-2025-04-16 o3-pro"
    " o3-pro-2025-06-10",
}

RETIREMENTS: Final = {model: day for day, models in _RETIRED.items() for model in models.split()}
"""The day on which each of OpenAI's models is shut down, as it was known at `COLLECTED`."""


@rule(
    "metadata-limits",
    "warning",
    "Metadata exceeds the limits of the API",
    f"OpenAI takes {MAX_METADATA_PAIRS} pairs, keys of {MAX_METADATA_KEY} and values of "
    f"{MAX_METADATA_VALUE} characters.",
)
def find_metadata(subject: Subject) -> Iterator[Found]:
    pairs = subject.completion.metadata if subject.completion else ()
    if len(pairs) > MAX_METADATA_PAIRS:
        yield Found(
            None, f"The metadata has {len(pairs)} pairs; OpenAI takes {MAX_METADATA_PAIRS}."
        )
    for pair in pairs:
        key = pair.name.text
        if len(key) > MAX_METADATA_KEY:
            yield Found(
                None,
                f"The metadata key {quote(key)} has {len(key)} characters; OpenAI takes "
                f"{MAX_METADATA_KEY}.",
            )
        if not isinstance(pair.value, String | Null):
            yield Found(
                None, f"The metadata value of {quote(key)} is no string; OpenAI refuses it."
            )
        elif isinstance(pair.value, String) and len(pair.value.text) > MAX_METADATA_VALUE:
            yield Found(
                None,
                f"The metadata value of {quote(key)} has {len(pair.value.text):,} characters; "
                f"OpenAI takes {MAX_METADATA_VALUE}.",
            )


@rule(
    "name-pattern",
    "warning",
    "The `name` of a message is not accepted everywhere",
    "OpenAI takes letters, digits, `_` and `-`, at most 64.",
)
def find_names(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        name = entry.message.name
        if name and not entry.message.is_tool_result and not _NAME.fullmatch(name):
            yield Found(
                entry,
                f"OpenAI refuses the name {quote(name)}: it takes letters, digits, `_` and `-`, at "
                "most 64.",
            )


@rule(
    "role-order",
    "remark",
    "The model's template refuses this order of roles",
    "Mistral and Gemma take alternating turns, and a system message only at the beginning.",
)
def find_order(subject: Subject) -> Iterator[Found]:
    if not MISTRAL.search(subject.model) and "gemma" not in subject.model.lower():
        return
    before: str | None = None
    for entry in subject.entries:
        role = entry.message.role
        if role == "user" and before in ("user", "tool"):
            yield Found(
                entry, f"A user message follows a {before} message; the template refuses it."
            )
        elif role == before == "assistant":
            yield Found(entry, "Two assistant messages in a row; the template refuses it.")
        elif role == "system" and before is not None:
            yield Found(entry, "A system message after the first; the template refuses it.")
        before = role


@rule(
    "system-and-developer",
    "remark",
    "The messages have both system and developer roles",
    "Reasoning models read `developer`; OpenAI turns `system` into it.",
)
def find_both_roles(subject: Subject) -> Iterator[Found]:
    roles = {entry.message.role for entry in subject.entries}
    if {"system", "developer"} <= roles:
        first = next(entry for entry in subject.entries if entry.message.role == "developer")
        yield Found(first, "There are system and developer messages; one of the roles is enough.")


@rule(
    "setting-unsupported",
    "remark",
    "The model does not take a setting",
    "OpenAI refuses it for reasoning models, if the request is sent again.",
)
def find_unsupported(subject: Subject) -> Iterator[Found]:
    if not _REASONING_MODEL.match(subject.model):
        return
    if isinstance(subject.get_setting("max_tokens"), Number):
        yield Found(
            None, f"{quote(subject.model)} takes `max_completion_tokens`, and not `max_tokens`."
        )
    for name, default in _FIXED_SETTINGS.items():
        value = subject.get_setting(name)
        if isinstance(value, Number) and float(value.source) != default:
            yield Found(None, f"{quote(subject.model)} takes {name} {default}, not {value.source}.")


@rule(
    "deprecated",
    "remark",
    "A field is deprecated",
    "It still works; `tools`, `tool_calls` and the role `tool` replace it.",
)
def find_deprecated(subject: Subject) -> Iterator[Found]:
    for name in ("functions", "function_call"):
        value = subject.get_setting(name)
        if value is not None and not isinstance(value, Null):
            yield Found(None, f"`{name}` is deprecated; `tools` and `tool_choice` replace it.")
    for entry in (*subject.entries, *subject.outputs):
        if entry.message.role == "function":
            yield Found(entry, "The role `function` is deprecated; `tool` replaces it.")
        for call in entry.calls:
            if getattr(call.call, "type", None) == "function_call":
                yield Found(call, "`function_call` is deprecated; `tool_calls` replaces it.")


@rule(
    "model-retiring",
    "remark",
    "The model is shut down on a published date",
    "Running it again fails from that day on. The dates are those that OpenAI had announced, as"
    f" collected from others' copies on {COLLECTED}; see OpenAI's page of deprecations.",
    Need.COMPLETION,
    Need.OPENAI,
)
def find_retiring(subject: Subject) -> Iterator[Found]:
    day = RETIREMENTS.get(subject.model)
    if day is None:
        return
    is_past = day <= datetime.now(UTC).date().isoformat()
    said = f"was shut down on {day}" if is_past else f"is shut down on {day}"
    yield Found(
        None, f"OpenAI's model {quote(subject.model)} {said}; running this again then fails."
    )
