"""Extract the texts of a message by scope, in the form that is searched, and its digest.

The message is parsed by `webapp.messages`, so that a search finds the texts of its page. The digest
is of a normalized message, which stays the same when the next request repeats it: a client may
drop fields, serialize arguments differently, or join parts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Final, assert_never

from webapp.exact_json import Object, String, Value
from webapp.exact_json.writing import decode_strings
from webapp.finding import fold_text
from webapp.messages import (
    Audio,
    Call,
    File,
    Image,
    InputAudio,
    Message,
    Part,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
)
from webapp.messages.message import get_text, is_plain
from webapp.messages.think_tags import remove_reasoning

SEPARATOR: Final = "\x1e"
"""Between the parts of a passage. Folding replaces it in texts, so that no match spans two parts.
"""

GROUP_SEPARATOR: Final = "\x1d"
"""Between passages that a database keeps in one text. Folding replaces it, too."""

_DATA: Final = re.compile(r"[A-Za-z0-9+/_=-]{1000,}")
"""Base64 in parts of unknown types, which no reader searches for and an index would be full of."""

_RESULT_ROLES: Final = frozenset({"tool", "function"})
SYSTEM_ROLES: Final = frozenset({"system", "developer"})


class Scope(StrEnum):
    """The place of a text in a completion; the table holds the value."""

    TEXT = "text"
    TOOL_INPUT = "input"
    TOOL_OUTPUT = "output"
    NAMES = "names"
    METADATA = "metadata"


@dataclass(slots=True)
class Said:
    """The texts, calls and media of one message.

    `words` are its texts, `results` those of the results among its content parts, `unknown` the
    JSON of parts that are not understood, and `asides` texts that a client need not repeat:
    reasoning, the transcript of speech, the names of files, sources. `calls` has the name and
    arguments of each call, `call_ids` those of the calls that have one, `media` the digest of each
    image, sound or file with its kind.
    """

    role: str = ""
    words: Sequence[str] = ()
    asides: Sequence[str] = ()
    refusals: Sequence[str] = ()
    unknown: Sequence[str] = ()
    calls: Sequence[tuple[str, str]] = ()
    call_ids: Sequence[str] = ()
    results: Sequence[str] = ()
    media: Sequence[tuple[str, bytes]] = ()
    name: str | None = None
    _spoken: str | None = field(default=None, init=False, repr=False, compare=False)
    _passages: Sequence[tuple[Scope, str]] | None = field(
        default=None, init=False, repr=False, compare=False
    )
    _digest: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def is_system(self) -> bool:
        return self.role in SYSTEM_ROLES

    @property
    def is_result(self) -> bool:
        return self.role in _RESULT_ROLES

    def list_passages(self) -> Sequence[tuple[Scope, str]]:
        """List the folded text of each scope that has one, its parts joined by `SEPARATOR`."""
        if self._passages is None:
            self._passages = [
                (scope, SEPARATOR.join(map(fold_text, parts))) for scope, parts in self.iter_parts()
            ]
        return self._passages

    def iter_parts(self) -> Iterator[tuple[Scope, Sequence[str]]]:
        """Yield the texts of each scope that has some, as they were written."""
        texts, results = self.words, self.results
        if self.asides or self.refusals or self.unknown:
            unknown = (_DATA.sub("", text) for text in self.unknown)
            texts = (*self.words, *self.asides, *self.refusals, *unknown)
        if self.is_result:
            texts, results = (), (*texts, *results)
        if any(texts):
            yield Scope.TEXT, texts
        if any(results):
            yield Scope.TOOL_OUTPUT, results
        if not self.calls and not self.name:
            return
        if arguments := [decode_arguments(written) for _, written in self.calls if written]:
            yield Scope.TOOL_INPUT, arguments
        names = [name for name, _ in self.calls if name]
        if self.name:
            names.append(self.name)
        if names:
            yield Scope.NAMES, names

    def digest(self, *, with_media: bool = True) -> bytes:
        """Hash this message alone, as the next request may repeat it.

        White space does not count, because parts are joined with or without it. Neither do
        reasoning, the ids and the order of calls, and sounds, which clients repeat by another id.
        Refusals and parts of unknown types count if there are no words: a client may drop them
        beside some.
        """
        if self._digest is not None and (with_media or not self.media):
            return self._digest
        role = "tool" if self.is_result else self.role
        hashed = blake2b(role.encode(*_ENCODING), digest_size=8)
        for text in (self.spoken, *self.results):
            hashed.update(_encode_words(text))
        for called in sorted(f"\x1f{name}\x1f{_normalize(given)}" for name, given in self.calls):
            hashed.update(called.encode(*_ENCODING))
        for kind, digest in self.media if with_media else ():
            if kind != "audio":
                hashed.update(digest)
        digest = hashed.digest()
        if with_media or not self.media:
            self._digest = digest
        return digest

    @property
    def spoken(self) -> str:
        """The words that requests repeat."""
        if self._spoken is None:
            words = "\n".join(self.words or self.refusals or self.unknown)
            self._spoken = remove_reasoning(words) if self.role == "assistant" else words
        return self._spoken


_PART: Final = 128 * 1024
"""Characters of a text that are split at once."""
_ENCODING: Final = ("utf-8", "surrogatepass")
_ASCII_SPACE: Final = "".join(filter(str.isspace, map(chr, range(128)))).encode()


def decode_arguments(arguments: str) -> str:
    """Write the strings of serialized arguments without escapes, as pages show them.

    Programs escape whatever is not ASCII, and readers search for the text that they see.
    """
    if "\\" not in arguments:
        return arguments
    try:
        json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return arguments
    return decode_strings(arguments)


_repeated: Final[dict[str, Said]] = {}
"""The short messages that were read last, by their JSON: each request repeats those before it."""
_MOST_REPEATED: Final = 1_000
_MAX_REPEATED: Final = 2_000
"""Characters."""


def read_json(json: Value) -> Said:
    """Read a message from its JSON. What was read must not be changed."""
    is_short = json.length <= _MAX_REPEATED
    source = json.source if is_short else ""
    if said := _repeated.get(source):
        return said
    if isinstance(json, Object) and is_plain(json):
        # It needs no parts.
        words = json.text("content")
        role, name = json.text("role") or "", json.text("name")
        said = Said(role=role, name=name, words=(words,) if words else ())
    else:
        said = read_message(Message.from_json(json))
    if is_short:
        if len(_repeated) >= _MOST_REPEATED:
            _repeated.clear()
        _repeated[source] = said
    return said


def read_message(message: Message, *, role: str = "") -> Said:
    """Read the texts, calls and media of a message; `role` is used if it has none."""
    role = message.role or role
    if isinstance(message.bare, String):
        return Said(role=role, name=message.name, words=(message.bare.text,))
    theirs = {id(part) for result in message.results for part in result.parts}
    texts: dict[str, list[str]] = {}
    media = []
    for part in message.parts:
        place, text, digested = _read_part(part)
        if message.holds_result or id(part) in theirs:
            place = "results"
        if text:
            texts.setdefault(place, []).append(text)
        if digested:
            media.append(digested)
    asides = texts.get("asides", [])
    for source in message.annotations:
        if isinstance(source, UrlCitation):
            asides.append(f"{source.title or ''} {source.url or source.content}")
    for part in message.parts:
        if isinstance(part, Text):
            asides.extend(quotation.words for quotation in part.quotations)
    return Said(
        role=role,
        name=message.name,
        words=tuple(texts.get("words", ())),
        asides=tuple(asides),
        refusals=tuple(texts.get("refusals", ())),
        unknown=tuple(texts.get("unknown", ())),
        calls=tuple(map(_read_call, message.calls)),
        call_ids=tuple(one.id for one in message.calls if isinstance(one, ToolCall) and one.id),
        results=tuple(texts.get("results", ())),
        media=tuple(media),
    )


def _read_part(part: Part) -> tuple[str, str | None, tuple[str, bytes] | None]:
    """Read the field of `Said` that the text of a part belongs to, the text, and the media."""
    match part:
        case Text():
            return "words", part.text, None
        case Refusal():
            return "refusals", part.text, None
        case Unknown():
            return "unknown", get_text(part), None
        case Reasoning() | RedactedReasoning():
            return "asides", get_text(part), None
        case Image():
            return "asides", None, ("image", _digest(part.url))
        case InputAudio():
            return "asides", part.url, ("audio", _digest(part.data or part.url))
        case Audio():
            return "asides", part.transcript, ("audio", _digest(part.data))
        case File():
            return "asides", part.words, ("file", _digest(part.data or part.url or part.file_id))
        case _:
            assert_never(part)


def _digest(data: str | None) -> bytes:
    return blake2b((data or "").encode(*_ENCODING), digest_size=8).digest()


def _read_call(call: Call) -> tuple[str, str]:
    """Read the name and arguments of a call; of one that is not understood, all of its JSON."""
    if isinstance(call, ToolCall):
        return call.name or "", call.arguments or ""
    called = call.json
    if isinstance(called, Object):
        called = called.object("function") or called.object("custom") or called
    name = called.text("name") if isinstance(called, Object) else None
    return name or "", get_text(call) or ""


def _encode_words(text: str) -> bytes:
    """Encode `text` without its white space."""
    if text.isascii():
        return text.encode().translate(None, _ASCII_SPACE)
    return _remove_space(text).encode(*_ENCODING)


def _remove_space(text: str) -> str:
    """Remove all white space; the words of a large text take ten times its memory."""
    parts = (text[at : at + _PART] for at in range(0, len(text), _PART))
    return "".join("".join(part.split()) for part in parts)


def _normalize(arguments: str) -> str:
    """Normalize arguments to one serialization; remove white space if they are not JSON."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return _remove_space(arguments)
