"""Extract the texts of a message by scope, in the form that is searched, and its digest.

The digest is of a normalized message, which stays the same when the next request repeats it:
a client may drop fields, serialize arguments differently, or join parts.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Final

from webapp.exact_json import Array, Object, String, Value
from webapp.messages.parsing import CALL_BLOCKS, REASONING_FIELDS, is_result
from webapp.messages.reasoning import DETAIL_FIELDS

SEPARATOR: Final = "\x1e"
"""Between the parts of a passage. Folding replaces it in texts, so that no match spans two parts.
"""

GROUP_SEPARATOR: Final = "\x1d"
"""Between passages that a database keeps in one text. Folding replaces it, too."""

_UNSTORABLE: Final = re.compile(r"[\x00\x1d\x1e\ud800-\udfff]")
_UNICODE_ESCAPE: Final = re.compile(r"\\u[0-9a-fA-F]{4}")
_ESCAPED_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)((?:\\u[0-9a-fA-F]{4})+)")
_THOUGHT_START: Final = re.compile(r"<think(?:ing)?>")
_THOUGHT_END: Final = re.compile(r"</think(?:ing)?>")
_TEXT_TYPES: Final = frozenset({"text", "input_text", "output_text"})
_THOUGHTS: Final = ("text", "thinking", "reasoning", "content", "summary")
"""The members of an object of reasoning that have its text, or a list of texts."""
_DEEPEST_THOUGHT: Final = 4
_THOUGHT_TYPES: Final = frozenset({"reasoning", "thinking", "reasoning_text", "summary_text"})
_MEDIA_TYPES: Final = {
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "input_audio": "audio",
    "audio": "audio",
    "file": "file",
    "input_file": "file",
}
_RESULT_ROLES: Final = frozenset({"tool", "function"})
SYSTEM_ROLES: Final = frozenset({"system", "developer"})


class Scope(Enum):
    """The place of a text in a completion; the table holds the value."""

    TEXT = "text"
    TOOL_INPUT = "input"
    TOOL_OUTPUT = "output"
    NAMES = "names"
    METADATA = "metadata"


@dataclass(slots=True)
class Said:
    """The texts, calls and media of one message.

    `words` are its texts apart from thoughts, `calls` the name and arguments of each call,
    `results` the texts of the results among its content parts, `media` the digest of each image,
    sound or file with its kind.
    """

    role: str = ""
    words: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    media: list[tuple[str, bytes]] = field(default_factory=list)
    name: str | None = None

    @property
    def is_system(self) -> bool:
        return self.role in SYSTEM_ROLES

    def iter_passages(self) -> Iterator[tuple[Scope, str]]:
        """Yield the folded text of each scope that has one, its parts joined by `SEPARATOR`."""
        for scope, parts in self.iter_parts():
            yield scope, SEPARATOR.join(map(fold_text, parts))

    def iter_parts(self) -> Iterator[tuple[Scope, list[str]]]:
        """Yield the texts of each scope that has some, as they were written."""
        texts, results = self.words + self.thoughts + self.refusals, self.results
        if self.role in _RESULT_ROLES:
            texts, results = [], texts + results
        names = [name for name, _ in self.calls if name]
        if self.name:
            names.append(self.name)
        for scope, parts in (
            (Scope.TEXT, texts),
            (Scope.TOOL_OUTPUT, results),
            (Scope.TOOL_INPUT, [unescape(arguments) for _, arguments in self.calls if arguments]),
            (Scope.NAMES, names),
        ):
            if any(parts):
                yield scope, parts

    def chain(self, before: int) -> int:
        """Hash this message after those whose digest is `before`, in 64 bits.

        White space does not count, because parts are joined with or without it. Neither do
        thoughts, the ids of calls, and sounds, which clients repeat by another id.
        """
        hashed = blake2b(before.to_bytes(8, "big", signed=True), digest_size=8)
        hashed.update(b"tool" if self.role in _RESULT_ROLES else self.role.encode(*_ENCODING))
        words = self.words or self.refusals
        if self.role == "assistant" and words:
            words = [_drop_thought(words[0]), *words[1:]]
        for text in (*words, *self.results):
            hashed.update("".join(text.split()).encode(*_ENCODING))
        for name, arguments in self.calls:
            hashed.update(f"\x1f{name}\x1f{_normalize(arguments)}".encode(*_ENCODING))
        for kind, digest in self.media:
            if kind != "audio":
                hashed.update(digest)
        return int.from_bytes(hashed.digest(), "big", signed=True)


_ENCODING: Final = ("utf-8", "surrogatepass")


def _drop_thought(text: str) -> str:
    """Drop the first thought between tags, if it has an end."""
    start = _THOUGHT_START.search(text)
    # One search for each tag: a pattern of both would read the rest of the text for each start.
    end = _THOUGHT_END.search(text, start.end()) if start else None
    return f"{text[: start.start()]}{text[end.end() :]}" if start and end else text


def fold_text(text: str) -> str:
    """Fold `text` for search: without case, in NFC, and storable in both databases."""
    if text.isascii():
        folded = text.lower()
        if "\x00" not in folded and "\x1d" not in folded and "\x1e" not in folded:
            return folded
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return _UNSTORABLE.sub("\ufffd", folded)


def unescape(arguments: str) -> str:
    r"""Replace the `\u` escapes in serialized arguments by the characters.

    Programs escape whatever is not ASCII, and readers search for what they see.
    """
    if "\\u" not in arguments:
        return arguments
    return _ESCAPED_PAIR.sub(lambda match: match[1] + _decode_escapes(match[2]), arguments)


def read_message(message: Value | None) -> Said:
    """Read the texts, calls and media of an input or answer; any JSON is accepted."""
    said = Said()
    if message is not None and not isinstance(message, Object):
        said.words.append(message.text if isinstance(message, String) else message.source)
    if not isinstance(message, Object):
        return said
    members = {member.name.text: member.value for member in message.members}
    role, name = members.get("role"), members.get("name")
    said.role = role.text if isinstance(role, String) else ""
    said.name = name.text if isinstance(name, String) else None
    parts, content = members.get("content_parts"), members.get("content")
    if isinstance(parts, Array):
        content = parts
    if isinstance(content, String):
        said.words.append(content.text)
    elif isinstance(content, Array):
        for part in content.items:
            _read_part(part, said)
    for given in map(members.get, (*REASONING_FIELDS, *DETAIL_FIELDS)):
        thought = "".join(_iter_thoughts(given))
        # Gateways send one text in several fields.
        if thought and thought not in said.thoughts:
            said.thoughts.append(thought)
    if isinstance(refusal := members.get("refusal"), String) and len(refusal.source) > 2:
        said.refusals.append(refusal.text)
    calls = members.get("tool_calls")
    for call in calls.items if isinstance(calls, Array) else ():
        if isinstance(call, Object):
            called = call.object("function") or call.object("custom") or call
            said.calls.append(_read_call(called))
    if isinstance(old_call := members.get("function_call"), Object):
        said.calls.append(_read_call(old_call))
    if isinstance(audio := members.get("audio"), Object):
        said.media.append(("audio", b""))
        if transcript := audio.text("transcript"):
            said.thoughts.append(transcript)
    return said


def _read_part(part: Value, said: Said) -> None:
    if isinstance(part, String):
        said.words.append(part.text)
        return
    if not isinstance(part, Object):
        return
    kind = part.text("type") or ""
    text = part.text("text")
    if kind in _MEDIA_TYPES:
        source = (part.get(kind) or part).source
        digest = blake2b(source.encode(*_ENCODING), digest_size=8).digest()
        said.media.append((_MEDIA_TYPES[kind], digest))
    elif kind in CALL_BLOCKS:
        said.calls.append(_read_call(part))
    elif is_result(part):
        said.results.extend(_list_results(part.get("content")))
    elif kind == "refusal":
        said.refusals.append(part.text("refusal") or "")
    elif kind in _THOUGHT_TYPES:
        said.thoughts.append("".join(_iter_thoughts(part)))
    elif text is not None and (kind in _TEXT_TYPES or not kind):
        said.words.append(text)
    elif text is not None:
        said.thoughts.append(text)


def _iter_thoughts(value: Value | None, depth: int = 0) -> Iterator[str]:
    """Yield the texts of reasoning: of a text, of an object with one, or of a list of them."""
    if isinstance(value, String):
        yield value.text
    elif depth < _DEEPEST_THOUGHT and isinstance(value, Object):
        name = next((one for one in _THOUGHTS if value.get(one) is not None), "")
        yield from _iter_thoughts(value.get(name), depth + 1)
    elif depth < _DEEPEST_THOUGHT and isinstance(value, Array):
        for one in value.items:
            yield from _iter_thoughts(one, depth + 1)


def _list_results(content: Value | None) -> Iterator[str]:
    """Yield the text of each part of a result, or its JSON if it has none."""
    for part in content.items if isinstance(content, Array) else filter(None, [content]):
        text = part.text("text") if isinstance(part, Object) else None
        yield part.text if isinstance(part, String) else text or part.source


def _read_call(called: Object) -> tuple[str, str]:
    arguments = called.get("arguments") or called.get("input")
    text = arguments.text if isinstance(arguments, String) else None
    source = arguments.source if arguments is not None else ""
    return called.text("name") or "", source if text is None else text


def _normalize(arguments: str) -> str:
    """Normalize arguments to one serialization; remove white space if they are not JSON."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return "".join(arguments.split())


def _decode_escapes(escapes: str) -> str:
    units: Iterable[str] = _UNICODE_ESCAPE.findall(escapes)
    encoded = b"".join(int(unit[2:], 16).to_bytes(2, "big") for unit in units)
    # Escaped quotes and control characters stay as they are written.
    text = encoded.decode("utf-16-be", "surrogatepass")
    return "".join(
        character if character > "~" else f"\\u{ord(character):04x}" for character in text
    )
