"""Extract the facts of a completion that lists, searches and conversations are made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from webapp.completions import find_break
from webapp.embedded.documents.chains import Chain, build_chain
from webapp.embedded.documents.passages import (
    SEPARATOR,
    Said,
    Scope,
    read_json,
    read_message,
)
from webapp.exact_json import Array, Number, Object, Value
from webapp.finding import fold_text
from webapp.messages.choices import (
    FILTER_REASONS,
    LIMIT_REASONS,
    REFUSAL_REASONS,
    Choice,
    list_choices,
    list_plain,
)

FACTS_FORM: Final = 12
"""Counts the changes of this module, of `chains`, `passages`, and the parsing in `webapp.messages`,
that alter the facts of a completion; raise it with each, so that those of stored completions are
derived again."""

MAX_TAGS: Final = 100
"""Of one completion; a request can define thousands of tools, but hardly calls as many."""
METADATA_POSITION: Final = -1
_MAX_NUMBER: Final = 2**31 - 1
"""The largest number in a column of PostgreSQL of this type."""

_FAILED_REASONS: Final = {
    **dict.fromkeys(LIMIT_REASONS, "length"),
    **dict.fromkeys(FILTER_REASONS, "content_filter"),
    **dict.fromkeys(REFUSAL_REASONS, "refusal"),
}


class Passage(NamedTuple):
    """The folded text of one scope of one message.

    `position` is that of an input message; the choices follow the input messages, and
    `METADATA_POSITION` is the metadata's.
    """

    position: int
    scope: Scope
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts stored beside a completion; a number is None if the completion does not have it.

    `tags` are the facts that are true or not, such as `finish:stop`, `tool:shell`, `has:image`.
    """

    messages: int
    total_tokens: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    duration_ms: int | None
    first_token_ms: int | None
    tags: tuple[str, ...]
    passages: tuple[Passage, ...]
    chain: Chain


def extract_facts(completion: Object, messages: Iterable[Value]) -> Facts:
    """Extract the facts of a completion and its input messages; its metadata come later."""
    said = list(map(read_json, messages))
    reasons, has_logprobs, answers = _read_choices(completion)
    usage, timing = completion.object("usage"), completion.object("readback_timing")
    prompt = _read_number(usage, "prompt_tokens", "input_tokens")
    answered = _read_number(usage, "completion_tokens", "output_tokens")
    total = _read_number(usage, "total_tokens")
    if total is None and prompt is not None and answered is not None:
        total = min(prompt + answered, _MAX_NUMBER)
    details = usage and (
        usage.object("prompt_tokens_details") or usage.object("input_tokens_details")
    )
    return Facts(
        messages=len(said),
        total_tokens=total,
        prompt_tokens=prompt,
        completion_tokens=answered,
        cached_tokens=_read_number(details, "cached_tokens"),
        duration_ms=_read_number(timing, "total_ms"),
        first_token_ms=_read_number(timing, "first_token_ms"),
        tags=_find_tags(completion, reasons, has_logprobs, said, answers),
        passages=tuple(
            [
                Passage(position, scope, text)
                for position, one in enumerate([*said, *answers])
                for scope, text in one.list_passages()
            ]
        ),
        chain=build_chain(said, answers),
    )


def read_answer(choice: Choice) -> Said:
    """Read the answer of a choice, by an assistant unless it says otherwise."""
    message = choice.message_or_empty
    if message.role == "assistant" and not message.annotations:
        # The next request often repeats it as it is.
        return read_json(message.json)
    return read_message(message, role="assistant")


def build_metadata_passage(pairs: Sequence[tuple[str, str]]) -> Passage | None:
    """Build the passage of the metadata, `key: value` for each pair; None if there are none."""
    if not pairs:
        return None
    text = SEPARATOR.join(fold_text(f"{key}: {value}") for key, value in pairs)
    return Passage(METADATA_POSITION, Scope.METADATA, text)


def _read_choices(completion: Object) -> tuple[Sequence[str], bool, Sequence[Said]]:
    """Read the finish reasons, whether there are log-probabilities, and the answers."""
    plain = list_plain(completion)
    if plain is not None and all(one.text("role") == "assistant" for _, one in plain):
        return [reason for reason, _ in plain], False, [read_json(one) for _, one in plain]
    choices = list_choices(completion)
    reasons = [choice.finish_reason or "" for choice in choices]
    return reasons, any(choice.logprobs for choice in choices), list(map(read_answer, choices))


def _find_tags(
    completion: Object,
    reasons: Sequence[str],
    has_logprobs: bool,
    said: Sequence[Said],
    answers: Sequence[Said],
) -> tuple[str, ...]:
    """Collect each tag once: those of the answer first, so that a bound leaves out old calls."""
    tags: dict[str, None] = {}
    tags |= dict.fromkeys(f"finish:{reason}" for reason in reasons if reason)
    failures = [_FAILED_REASONS[reason] for reason in reasons if reason in _FAILED_REASONS]
    failures += ["refusal" for answer in answers if any(map(str.strip, answer.refusals))]
    if find_break(completion) is not None:
        failures.append("incomplete")
    if failures:
        tags |= dict.fromkeys(f"failure:{failure}" for failure in failures)
        tags["has:failure"] = None
    if "refusal" in failures:
        tags["has:refusal"] = None
    if has_logprobs:
        tags["has:logprobs"] = None
    if everything := [one for one in (*answers, *said) if one.media or one.calls]:
        tags |= dict.fromkeys(f"has:{kind}" for one in everything for kind, _ in one.media)
        if any(one.calls for one in everything):
            tags["has:calls"] = None
        tags |= dict.fromkeys(f"calls:{name}" for one in answers for name, _ in one.calls if name)
        tags |= dict.fromkeys(f"tool:{name}" for one in everything for name, _ in one.calls if name)
    return tuple(tags)[:MAX_TAGS]


def _read_number(json: Object | None, *names: str) -> int | None:
    """Read the first of the members that is a count; larger ones than a column holds are cut."""
    for name in names:
        value = json.get(name) if json is not None else None
        number = value.integer if isinstance(value, Number) else None
        if number is not None and number >= 0:
            return min(number, _MAX_NUMBER)
    return None


def list_messages(completion: Object) -> tuple[Value, ...]:
    """List the input messages in a completion's own list."""
    messages = completion.get("messages")
    return messages.items if isinstance(messages, Array) else ()
