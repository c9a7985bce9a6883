"""Build the completion to store from a recorded request and its answer.

Every value is copied as it was written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from webapp.embedded.documents.api_json import TIMING
from webapp.exact_json import Null, Number, Object, write_members, write_object
from webapp.timestamps import parse_time

_ANSWER_ONLY_FIELDS: Final = frozenset(
    {"id", "object", "created", "choices", "usage", "system_fingerprint"}
)
_ANSWER_FIELDS: Final = _ANSWER_ONLY_FIELDS | {"model", "service_tier"}
DELIVERY_FIELDS: Final = frozenset({"store", "stream", "stream_options"})
"""Members of a request about how to deliver the answer; they do not describe the completion."""

RENAMED: Final = {"user": "input_user", "moderation": "input_moderation"}
"""Members of a request that are stored under another name.

The first name is the API's; the second keeps apart the `moderation` of the answer, which holds
the results.
"""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """An answer, as far as it was received.

    `json` is the completion, or None if none could be parsed. `problem` is the reason if the
    answer is incomplete; `received` is then the text that could not be parsed, as it came, or that
    of the error that was reported, with its secrets masked. `timing` is how many milliseconds the
    answer took, as `total_ms`, and its first token, as `first_token_ms`.
    """

    json: Object | None = None
    problem: str | None = None
    received: str | None = None
    timing: Mapping[str, int] | None = None


def build_completion_json(
    request: Object, answer: RecordedAnswer, *, request_id: str, now: int, with_id: bool = True
) -> str:
    """Build the completion as JSON with its input messages.

    If not `with_id`, the answer's id is kept as `original_id`, because it cannot be stored under
    it.

    `now`, in unix seconds, is used if the answer has no time, and `request_id` if it has none.
    """
    members = {
        RENAMED.get(member.name.text, member.name.text): member.value.source
        for member in request.members
        if member.name.text not in DELIVERY_FIELDS | _ANSWER_ONLY_FIELDS
    }
    requested = frozenset(members)
    for member in answer.json.members if answer.json is not None else ():
        name = member.name.text
        is_answer = name in _ANSWER_FIELDS and not isinstance(member.value, Null)
        if is_answer or name not in requested | _ANSWER_FIELDS:
            members[name] = member.value.source
    if not with_id and "id" in members:
        members["original_id"] = members.pop("id")
    created = answer.json.get("created") if answer.json is not None else None
    if isinstance(created, Number | Null | None) and parse_time(created) is None:
        # Servers send zero if they do not know the time.
        members["created"] = str(now)
    members.setdefault("choices", "[]")
    if answer.json is None or not answer.json.text("request_id"):
        members["request_id"] = json.dumps(request_id)
    if answer.timing:
        members[TIMING] = json.dumps(dict(answer.timing))
    if answer.problem is not None:
        received = {"received": answer.received} if answer.received else {}
        members["incomplete"] = json.dumps({"reason": answer.problem, **received})
    # A server may send NUL within a text as it is; the store takes it as its escape alone.
    return write_object(write_members(members)).replace("\0", "\\u0000")
