"""An exchange with a model server as one text, in which it waits for the store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from webapp.embedded.documents.from_exchange import RecordedAnswer
from webapp.exact_json import NotJson, Object, parse


@dataclass(frozen=True, slots=True)
class Exchange:
    """A create request and its answer, and all else that the completion to store depends on.

    `earlier` is the answer of the completion to amend, None if a new one is to be stored.
    """

    request: Object
    answer: RecordedAnswer
    request_id: str
    now: int
    earlier: RecordedAnswer | None = None

    def serialize(self) -> bytes:
        """Write a line with the lengths of the request and the answers, then these as sent."""
        request = self.request.source.encode()
        head, answer = _serialize_answer(self.answer)
        head |= {
            "request_bytes": len(request),
            "request_id": self.request_id,
            "now": self.now,
        }
        earlier = b""
        if self.earlier is not None:
            head["earlier"], earlier = _serialize_answer(self.earlier)
        return b"%b\n%b%b%b" % (json.dumps(head).encode(), request, answer, earlier)

    @classmethod
    def parse(cls, data: bytes) -> Exchange:
        """Parse a result of `serialize`. Raise `DamagedFile` if `data` is not that."""
        try:
            line, _, rest = data.partition(b"\n")
            head = json.loads(line)
            heads = [head, head["earlier"]] if "earlier" in head else [head]
            lengths = [head["request_bytes"], *(one["answer_bytes"] for one in heads)]
            if len(rest) != sum(lengths):
                raise DamagedFile("it is cut off")
            ends = list(accumulate(lengths))
            texts = [rest[end - length : end] for length, end in zip(lengths, ends, strict=True)]
            answers = [
                RecordedAnswer(
                    _parse_object(written) if written else None,
                    one["problem"],
                    one["received"],
                    one.get("timing"),
                )
                for one, written in zip(heads, texts[1:], strict=True)
            ]
            return cls(
                _parse_object(texts[0]),
                answers[0],
                head["request_id"],
                head["now"],
                answers[1] if len(answers) > 1 else None,
            )
        except (ValueError, LookupError, TypeError, NotJson) as error:
            raise DamagedFile(str(error)) from error


class DamagedFile(ValueError):
    """A file of the spool is not as it was written."""


def _serialize_answer(answer: RecordedAnswer) -> tuple[dict[str, Any], bytes]:
    """Serialize an answer as what is known of it and the bytes of its JSON."""
    written = answer.json.source.encode() if answer.json is not None else b""
    head = {
        "answer_bytes": len(written),
        "problem": answer.problem,
        "received": answer.received,
        "timing": answer.timing,
    }
    return head, written


def _parse_object(data: bytes) -> Object:
    value = parse(data.decode())
    if not isinstance(value, Object):
        raise DamagedFile("it is not a JSON object")
    return value
