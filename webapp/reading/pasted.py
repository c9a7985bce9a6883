"""Parse pasted text, an id, a URL, a curl command or a log line, to the completion it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from webapp.ids import ID_CHARACTERS, is_valid_id

_ID: Final = f"[%{ID_CHARACTERS}]+"
_PATH = re.compile(rf"/completions/({_ID})(?:/messages/({_ID}))?")
# Word processors replace the hyphen by other dashes.
_HYPHENS: Final = dict.fromkeys(range(0x2010, 0x2016), "-")
# A message of api.openai.com: the completion's id and a number.
_MESSAGE = re.compile(r"(chatcmpl-[A-Za-z0-9]{20,})-[0-9]{1,6}")
_WORD = re.compile(f"chatcmpl-[{ID_CHARACTERS}]+")


@dataclass(frozen=True, slots=True)
class CompletionRef:
    """The id of a completion, and of one of its messages if the text names one."""

    completion_id: str
    message_id: str | None = None


def parse_pasted(pasted: str) -> CompletionRef | None:
    """Return the completion that `pasted` names, or None if it names none."""
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
    """Return the id without percent-encoding and without the full stop of a sentence."""
    return unquote(found.rstrip(".:"))
