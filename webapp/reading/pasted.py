"""Finding the completion in what somebody pasted: an id, a URL, a curl command, a log line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_ID: Final = r"[A-Za-z0-9._:~%-]+"
_PATH = re.compile(rf"/completions/({_ID})(?:/messages/({_ID}))?")
# Word processors put other dashes in place of the hyphen.
_HYPHENS: Final = dict.fromkeys(range(0x2010, 0x2016), "-")
# What api.openai.com names a message: the completion's id and a number.
_MESSAGE = re.compile(r"(chatcmpl-[A-Za-z0-9]{20,})-[0-9]{1,6}")
_WORD = re.compile(r"chatcmpl-[A-Za-z0-9._:~-]+")
# An API key is made of the same characters; it must not become an address.
_WHOLE = re.compile(r"(?!sk-)[A-Za-z0-9._:~-]{1,256}")


@dataclass(frozen=True, slots=True)
class Place:
    """A completion, and the message of it when one was named."""

    completion_id: str
    message_id: str | None = None


def find_place(pasted: str) -> Place | None:
    """The completion that `pasted` names, or None when it names none."""
    text = pasted.translate(_HYPHENS).strip().strip("\"'`<>")
    if path := _PATH.search(text):
        return _checked(_id(path[1]), path[2] and _id(path[2]))
    if message := _MESSAGE.fullmatch(text):
        return _checked(message[1], text)
    if word := _WORD.search(text):
        return _checked(_id(word[0]))
    return _checked(text)


def _id(found: str) -> str:
    """The id in what was found: decoded, without the full stop of the sentence around it."""
    return unquote(found.rstrip(".:"))


def _checked(completion_id: str, message_id: str | None = None) -> Place | None:
    if not _is_id(completion_id) or (message_id is not None and not _is_id(message_id)):
        return None
    return Place(completion_id, message_id)


def _is_id(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None and text not in (".", "..")
