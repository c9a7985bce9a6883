"""Find the strings of JSON that belong together.

They are the pieces of a text in a stream, the ends of two messages, a value and the name beside it,
numbers that are the bytes of a text, and what is left of JSON that was cut off.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from webapp.exact_json import Array, Boolean, NotJson, Number, Object, String, Value, parse
from webapp.redaction.rules.personal.addresses import ADDRESS_MEMBER, find_roles, is_whole

_TEXTS: Final = frozenset(
    ("text", "content", "arguments", "partial_json", "thinking", "refusal", "reasoning")
    + ("reasoning_content", "input", "transcript", "data", "function_call")
)
"""Names of members that hold pieces of a text, in the deltas of a stream."""

_PIECES: Final = frozenset(("token", "text", "delta", "choices"))
_LINE: Final = re.compile(r"(?P<field>data: ?|)(?P<json>[\[{].*)")
_NO_JSON: Final = re.compile(r"\s*\Z|data: ?\[DONE\]|(?:event|id|retry)?: ?.*")
"""Other lines of server-sent events."""

_OF_CARD: Final = re.compile(
    r"cv[cv]|exp(?:_|month|year|ir[a-z]{1,8}_?(?:month|year))", re.IGNORECASE
)
"""Names beside the number of a card; passports and orders expire as well."""
_LONGEST_QUESTION: Final = 200
_LONGEST_OWNER: Final = 60
"""Of the name around a member; those of deep objects would grow with each of them."""
_QUESTION_NAMES: Final = ("question", "prompt", "label")
_ANSWER_NAMES: Final = ("answer", "response", "reply", "input", "value")
_BYTE: Final = re.compile(r"\d{1,3}")

_STRING: Final = r"\"(?:[^\"\\]++|\\[^u]|\\u[0-9A-Fa-f]{4}|(?!))*+"
_CUT_LEXEME: Final = re.compile(rf"[\s,:0-9.Ea-z+-]*+(?:{_STRING}\"|[\[\]{{}}])", re.DOTALL)
_CUT_REST: Final = re.compile(rf"[\s,:0-9.Ea-z+-]*+(?P<string>{_STRING})?", re.DOTALL)
"""What is after the last whole string or bracket of JSON that was cut off."""
_LONGEST_ESCAPE: Final = 5
"""The beginning of an escape."""
_CLOSED: Final = {"[": "]", "{": "}"}
_MOST_OPEN: Final = 100

_PAIR_NAMES: Final = ("name", "key", "variable", "header", "field", "parameter")
_MARKS: Final = ("sensitive", "secret", "is_secret", "isSecret", "masked")
TELLING_NAMES: Final = frozenset(
    (*_QUESTION_NAMES, *_MARKS, "Type", "kind", "messages")
    + ("sensitive_attributes", "instances", "kty")
)
"""Names without which no object says anything about the values in it."""

SECRET_DATA: Final = "secretData"
"""The name for the values in the secrets of a cluster, whose own names say nothing, and for those
that their document calls sensitive."""
_MANIFEST_DATA: Final = frozenset(("data", "stringData"))
_NUMBER_NAMES: Final = frozenset(("number", "no", "nr", "num"))
_VALUE_NAMES: Final = frozenset(("value", "val", "data", "default", "content"))
_SCHEMA_NAMES: Final = frozenset(("default", "const", "example", "examples"))
"""Names of the values in the schema of a member."""
_TYPED_NAMES: Final = frozenset(("text", "value"))
_FIELD_NAMES: Final = ("target", "selector", "element", "locator", "xpath")
_FIELD_END: Final = re.compile(
    r"[\s\"'\])]*(?:(?:text ?box|input|field|text ?field|box|edit)[\s\"'\])]*)*\Z", re.IGNORECASE
)
_NO_FIELD: Final = re.compile(r"\Atext=|[?:]\s*\Z")
"""A place that is found by its words, and a question."""


def find_borders(item: Object) -> tuple[String | None, String | None]:
    """Find the first and the last text of a message."""
    content = item.get("content") if item.get("role") is not None else None
    if isinstance(content, Array) and content.items:
        ends = [
            part.get("text") if isinstance(part, Object) else part
            for part in (content.items[0], content.items[-1])
        ]
    else:
        ends = [content, content]
    first, last = (one if isinstance(one, String) else None for one in ends)
    return first, last


def find_question(item: Object) -> str:
    """Find the end of a message that the next one may answer: of its text or its tool call."""
    _, last = find_borders(item)
    calls = item.items("tool_calls") if last is None else None
    function = calls[-1].get("function") if calls and isinstance(calls[-1], Object) else None
    arguments = function.get("arguments") if isinstance(function, Object) else None
    text = last or arguments
    return text.text[-_LONGEST_QUESTION:] if isinstance(text, String) else ""


def _find_pair(node: Object, names: Sequence[str]) -> str:
    """Find the name in an object that is one named value, as `{"name": …, "value": …}`."""
    if not 2 <= len(names) <= 8:
        return ""
    if not _TYPED_NAMES.isdisjoint(names):
        # What a browser is told to type, and where.
        place = next((text for name in _FIELD_NAMES if (text := node.text(name))), "")
        if place and not _NO_FIELD.search(place):
            return _FIELD_END.sub("", place[-_LONGEST_QUESTION:])
    names = [name.lower() for name in names]
    if _VALUE_NAMES.isdisjoint(names) or not any(name in names for name in _PAIR_NAMES):
        return ""
    texts = {
        name: member.value.text
        for name, member in zip(names, node.members, strict=True)
        if isinstance(member.value, String)
    }
    if not texts.keys() & _VALUE_NAMES:
        return ""
    return next((texts[name] for name in _PAIR_NAMES if name in texts), "")


def find_answer(node: Object) -> tuple[str, Value] | None:
    """Find the question and the answer in an object that has both, as a form or a quiz."""
    asked = next((text for name in _QUESTION_NAMES if (text := node.text(name))), None)
    answer = next((one for name in _ANSWER_NAMES if (one := node.get(name)) is not None), None)
    return (asked[-_LONGEST_QUESTION:], answer) if asked and answer is not None else None


def list_known_names(node: Object, names: Sequence[str], name: str) -> list[str]:
    """List names for the values of an object, of the given names, that is called `name` itself.

    This is the name of the member unless others say more of its value.
    """
    if name == SECRET_DATA:
        return [
            SECRET_DATA if isinstance(one.value, String) else one.name.text for one in node.members
        ]
    pair = _find_pair(node, names)
    is_card = any(map(_OF_CARD.match, names))
    # A token of a model is no secret for its name.
    known = {"token": ""} if isinstance(node.get("logprob"), Number) else {}
    if not TELLING_NAMES.isdisjoint(names):
        if node.text("kind") == "Secret":
            known |= dict.fromkeys(_MANIFEST_DATA, SECRET_DATA)
        if _is_marked_secret(node):
            known |= dict.fromkeys(("value", "Value"), SECRET_DATA)
    roles = find_roles(tuple(names))
    if roles and is_whole([(roles[one], _read_text(node.get(one))) for one in roles]):
        known |= dict.fromkeys(roles, ADDRESS_MEMBER)
    for written in names:
        lowered = written.lower()
        if pair:
            if lowered in _VALUE_NAMES or written == "text":
                known.setdefault(written, pair)
        elif name and (
            lowered in ("value", "val") or (lowered in _SCHEMA_NAMES and "type" in names)
        ):
            # As in `{"credentials": {"value": …}}`.
            known.setdefault(written, name)
        elif (
            (name and lowered in ("key", "token"))
            or ((name or is_card) and lowered in _NUMBER_NAMES)
            or (is_card and lowered.startswith("exp"))
        ):
            # As in `{"card": {"number": …}}`.
            known.setdefault(
                written, f"{name[-_LONGEST_OWNER:]}_{'card_' * is_card}{written}".lstrip("_")
            )
    return [known.get(written, written) for written in names]


def _read_text(value: Value | None) -> str:
    if isinstance(value, String):
        return value.text
    return value.source if isinstance(value, Number) else ""


def _is_marked_secret(node: Object) -> bool:
    """Return whether an object is a value that its document calls secret, as an output may be."""
    if node.text("Type") == "SecureString":
        return True
    return node.get("value") is not None and any(
        isinstance(mark := node.get(name), Boolean) and mark.value for name in _MARKS
    )


def iter_sensitive(node: Object) -> Iterator[Value]:
    """Yield what the state of Terraform lists as sensitive, made passwords, and keys."""
    attributes, listed = node.get("attributes"), node.get("sensitive_attributes")
    if isinstance(attributes, Object) and isinstance(listed, Array):
        for path in listed.items:
            first = path.items[0] if isinstance(path, Array) and path.items else None
            name = first.text("value") if isinstance(first, Object) else None
            value = attributes.get(name) if name else None
            if value is not None:
                yield value
    if node.text("type") == "random_password":
        for instance in node.items("instances") or ():
            made = instance.get("attributes") if isinstance(instance, Object) else None
            result = made.get("result") if isinstance(made, Object) else None
            if result is not None:
                yield result
    # The private part of a JSON Web Key, or the key that both sides have.
    if node.text("kty"):
        yield from filter(None, map(node.get, ("d", "k", "dp", "dq", "qi", "p", "q")))


def iter_pieces(item: Object) -> Iterator[tuple[tuple[str | int, ...], String]]:
    """Yield the strings of an item that go on in the next one, each after its place."""
    if _PIECES.isdisjoint([member.name.text for member in item.members]):
        return
    for name in ("token", "text") if item.get("type") or item.get("token") else ("token",):
        value = item.get(name)
        if isinstance(value, String):
            yield (name,), value
    yield from _iter_delta(item, (item.integer("output_index") or 0, item.integer("index") or 0))
    for position, choice in enumerate(item.items("choices") or ()):
        if isinstance(choice, Object):
            index = choice.integer("index")
            yield from _iter_delta(choice, ("choices", position if index is None else index))
            text = choice.get("text")
            if isinstance(text, String):
                yield ("choices", position, "text"), text


def _iter_delta(
    holder: Object, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], String]]:
    delta = holder.get("delta")
    if isinstance(delta, String):
        yield path, delta
    waiting: list[tuple[tuple[str | int, ...], Value]] = []
    if isinstance(delta, Object):
        waiting.append((path, delta))
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Object):
            for member in value.members:
                name = member.name.text
                if isinstance(member.value, String):
                    if name in _TEXTS:
                        yield (*path, name), member.value
                elif len(path) < 8:
                    waiting.append(((*path, name), member.value))
        elif isinstance(value, Array):
            for position, item in enumerate(value.items):
                index = item.integer("index") if isinstance(item, Object) else None
                waiting.append(((*path, position if index is None else index), item))


def read_cut(text: str, max_values: int) -> tuple[Value, int] | None:
    """Read JSON that was cut off; return its value and how many characters complete it.

    None if it is not JSON, or nothing in it is open at its end.
    """
    ends: list[str] = []
    at = 0
    if '"' not in text:
        return None
    while found := _CUT_LEXEME.match(text, at):
        at = found.end()
        if (last := text[at - 1]) in _CLOSED:
            ends.append(_CLOSED[last])
        elif last != '"' and (not ends or ends.pop() != last):
            return None
    rest = _CUT_REST.match(text, at)
    if not 0 < len(ends) <= _MOST_OPEN or rest is None or rest.end() < len(text) - _LONGEST_ESCAPE:
        return None
    closing = "".join(reversed(ends))
    for completion in ('"', '":0') if rest["string"] is not None else ("", "0", ":0", '"":0'):
        try:
            value = parse(text[: rest.end()] + completion + closing, max_values=max_values)
        except NotJson:
            continue
        return value, len(completion + closing)
    return None


def read_lines(lines: Sequence[str], max_values: int) -> dict[int, tuple[str, Value]] | None:
    """Read the values of lines of JSON, each with what is before it; None if they are none.

    Only a stream may have other lines too, as headers of its answer, or the last one cut off.
    """
    values: dict[int, tuple[str, Value]] = {}
    others: list[int] = []
    for number, line in enumerate(lines):
        found = _LINE.fullmatch(line)
        try:
            value = parse(found["json"], max_values=max_values) if found else None
        except NotJson:
            value = None
        if found is not None and value is not None:
            values[number] = found["field"], value
        elif not _NO_JSON.fullmatch(line):
            others.append(number)
    is_stream = any(before for before, _ in values.values())
    is_other = others and not is_stream and others[0] < len(lines) - 1
    return None if len(values) < 2 or is_other else values


def _list_bytes(node: Array) -> bytes | None:
    if not all(isinstance(item, Number) and _BYTE.fullmatch(item.source) for item in node.items):
        return None
    try:
        return bytes(int(item.source) for item in node.items)
    except ValueError:
        return None


def read_bytes(node: Array) -> str | None:
    """Decode an array of bytes to its text; None if it is not one."""
    content = _list_bytes(node)
    try:
        return None if content is None else content.decode()
    except ValueError:
        return None


def read_tokens(items: Sequence[Value]) -> list[str]:
    """Read the texts of the tokens of a model from their bytes, if any is not as it is written.

    A character whose bytes are those of several tokens belongs to the last one.
    """
    texts: list[str] = []
    is_other = False
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for item in items:
        content = item.get("bytes") if isinstance(item, Object) else None
        written = _list_bytes(content) if isinstance(content, Array) else None
        if not isinstance(item, Object) or written is None:
            return []
        texts.append(decoder.decode(written))
        is_other = is_other or item.text("token") != texts[-1]
    return texts if is_other else []


def write_bytes(text: str) -> str:
    return json.dumps(list(text.encode("utf-8", "replace")), separators=(",", ":"))
