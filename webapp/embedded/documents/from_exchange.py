"""The completion to store, put together from what was asked and what was answered.

Owns which member comes from where. Every value is copied as it was written. Knows neither HTTP
nor the store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from webapp.exact_json import Member, Null, Object

_OF_THE_ANSWER_ALONE: Final = frozenset(
    {"id", "object", "created", "choices", "usage", "system_fingerprint"}
)
_OF_THE_ANSWER: Final = _OF_THE_ANSWER_ALONE | {"model", "service_tier"}
DELIVERY_FIELDS: Final = frozenset({"store", "stream", "stream_options"})
"""What was asked about the answer's way here says nothing about the completion."""

RENAMED: Final = {"user": "input_user", "moderation": "input_moderation"}
"""Members of a request under the names they are stored by.

The first is the API's; an answer has a `moderation` of its own, which holds the results.
"""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """What is known of an answer.

    `json` is the completion, None when none could be read. `problem` says why it is not all of
    it; `received` is then what came and could not be read.
    """

    json: Object | None = None
    problem: str | None = None
    received: str | None = None


def completion_text(
    asked: Object, answered: RecordedAnswer, *, request_id: str, now: int, with_id: bool = True
) -> str:
    """The completion as JSON, its input messages included; without its id if so asked.

    `now`, in unix seconds, is its time where the answer tells none.
    """
    members = _asked(asked)
    members |= _answered(answered.json, members)
    if not with_id:
        members.pop("id", None)
    members.setdefault("created", str(now))
    members.setdefault("choices", "[]")
    members["request_id"] = json.dumps(request_id)
    if answered.problem is not None:
        members["incomplete"] = _incomplete(answered)
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items()) + "}"


def _asked(asked: Object) -> dict[str, str]:
    members = ((member.name.text, member) for member in asked.members)
    return {
        RENAMED.get(name, name): member.value.source
        for name, member in members
        if name not in DELIVERY_FIELDS | _OF_THE_ANSWER_ALONE
    }


def _answered(answer: Object | None, asked: dict[str, str]) -> dict[str, str]:
    """The answer's own members, and those it has beyond what was asked."""
    members = answer.members if answer is not None else ()
    return {member.name.text: member.value.source for member in members if _is_new(member, asked)}


def _is_new(member: Member, asked: dict[str, str]) -> bool:
    name = member.name.text
    if name in _OF_THE_ANSWER:
        return not isinstance(member.value, Null)
    return name not in asked


def _incomplete(answered: RecordedAnswer) -> str:
    said = {"reason": answered.problem}
    if answered.received:
        said["received"] = answered.received
    return json.dumps(said)
