"""Check whether the model of a completion has a published date of retirement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from webapp.analysis.checks.rules import Found, quote, rule
from webapp.analysis.checks.subject import Need, Subject

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
    "model-retiring",
    "information",
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
