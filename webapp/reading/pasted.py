"""Find a completion, or a place in the transcript that is open, in pasted text.

A completion is named by an id, a URL, a curl command or a log line, a place by a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

from webapp.ids import ID_CHARACTERS, is_valid_id

_ID: Final = f"[%{ID_CHARACTERS}]+"
_PATH = re.compile(rf"/completions/({_ID})(?:/messages/({_ID}))?")
# Word processors replace the hyphen by other dashes.
_HYPHENS: Final = dict.fromkeys(range(0x2010, 0x2016), "-")
# A message of api.openai.com: the completion's id and a number.
_MESSAGE = re.compile(r"(chatcmpl-[A-Za-z0-9]{20,})-[0-9]{1,6}")
_WORD = re.compile(f"chatcmpl-[{ID_CHARACTERS}]+")
_COUNT: Final = "[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2}"
# "187", "#187", "message 137 of 254", "call 57 of 140", and the number of a call, "3.1".
_PLACE = re.compile(
    rf"#?(?:(message|call|m-)\s*#?)?({_COUNT})(?:\.([0-9]{{1,6}}))?(?:\s+of\s+(?:{_COUNT}))?",
    re.ASCII | re.IGNORECASE,
)
# "9-15", "messages 9 to 15".
_RANGE = re.compile(
    rf"(?:messages?\s+)?({_COUNT})\s*(?:-|to)\s*({_COUNT})(?:\s+of\s+(?:{_COUNT}))?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CompletionRef:
    """The id of a completion, and of one of its messages if the text names one."""

    completion_id: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class TranscriptPlace:
    """A message by its number, or a call: of the run, or at `position` in message `number`."""

    kind: Literal["message", "call"]
    number: int
    position: int | None = None

    def __str__(self) -> str:
        position = "" if self.position is None else f".{self.position}"
        return f"{self.kind} {self.number:,}{position}"


def parse_place(pasted: str) -> TranscriptPlace | None:
    """Parse the place of a transcript that `pasted` names, or None if it names none."""
    found = _PLACE.fullmatch(pasted.strip())
    if found is None:
        return None
    word, number, position = found.groups()
    count = int(number.replace(",", ""))
    if position is not None:
        return TranscriptPlace("call", count, int(position))
    return TranscriptPlace("call" if (word or "").lower() == "call" else "message", count)


def parse_range(text: str) -> tuple[int, int] | None:
    """Parse the numbers of the first and the last message that `text` names, or None."""
    found = _RANGE.fullmatch(text.translate(_HYPHENS).strip())
    if found is None:
        return None
    first, last = (int(number.replace(",", "")) for number in found.groups())
    return (first, last) if 0 < first <= last else None


def parse_pasted(pasted: str) -> CompletionRef | None:
    """Parse the completion that `pasted` names, or None if it names none."""
    text = pasted.translate(_HYPHENS).strip().strip("\"'`<>")
    if path := _PATH.search(text):
        ref = CompletionRef(_decode_id(path[1]), _decode_id(path[2]) if path[2] else None)
    elif message := _MESSAGE.fullmatch(text):
        ref = CompletionRef(message[1], text)
    elif word := _WORD.search(text):
        ref = CompletionRef(_decode_id(word[0]))
    else:
        ref = CompletionRef(text)
    ids = (ref.completion_id,) if ref.message_id is None else (ref.completion_id, ref.message_id)
    # An API key is made of the same characters; it must not become an address.
    is_ref = all(is_valid_id(one) and not one.startswith("sk-") for one in ids)
    return ref if is_ref else None


def _decode_id(found: str) -> str:
    """Decode the percent-encoding of an id, without the full stop of a sentence."""
    return unquote(found.rstrip(".:"))
