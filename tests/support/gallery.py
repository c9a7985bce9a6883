"""The files of `tests/fixtures/bubbles`: one bubble each, with what a reader must see of it.

A file is an object. `what` says in a sentence what it is about; `message`, `messages`, `choice`
or `choices` give what the server sends, `completion` more fields of the completion. All other
keys are expectations:

    sees          texts, in this order
    sees_not      texts that are nowhere
    roles         the role words of all bubbles
    headings      all headings inside the texts
    strong, italic, struck, inline_code, items, quotes
                  texts that stand so, in this order
    tasks         the boxes of a task list: ticked or not
    links         texts and where they lead; `links_not` are addresses that nothing leads to
    tables        rows and columns of every table of a text, the head counted
    code          every code block: its `language`, and a text it `sees`
    maths         every formula: whether it is a `block`, and a text it `sees`
    coloured      texts that stand in a colour inside code or output
    pictures      width and height of every image, in pixels
    players, downloads
                  how many there are
    buttons       names of buttons
    menus         texts in the menus of messages and calls
    folds         the summaries of folded content, in this order
    notes         what Readback says itself: notes, warnings, notices
    also_sent     the names of all fields listed as also sent
    calls         the names of all tool calls
    citations     the marks in the text
    sources       a text in each of the listed sources
    characters    the labels of marks for characters that cannot be seen
    exact         texts that are there exactly as they were sent
    right_to_left texts that are laid out from right to left

Nothing else is taken: a misspelt key must not pass for an expectation that holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.paths import ROOT

FOLDER: Final = ROOT / "tests" / "fixtures" / "bubbles"

Json = dict[str, Any]


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)


def _flags(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, bool) for one in value)


def _sizes(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == 2 and all(isinstance(side, int) for side in one)
        for one in value
    )


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _links(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _records(**members: type) -> Callable[[object], bool]:
    """Objects that have some of these members and no others."""

    def valid(value: object) -> bool:
        return isinstance(value, list) and all(
            isinstance(one, dict)
            and all(isinstance(given, members.get(name, ())) for name, given in one.items())
            for one in value
        )

    return valid


EXPECTATIONS: Final[dict[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("sees", "sees_not", "roles", "headings", "strong", "italic"), _texts),
    **dict.fromkeys(("struck", "inline_code", "items", "quotes", "links_not"), _texts),
    **dict.fromkeys(
        ("coloured", "buttons", "menus", "folds", "notes", "also_sent", "calls"), _texts
    ),
    **dict.fromkeys(("citations", "sources", "characters", "exact", "right_to_left"), _texts),
    **dict.fromkeys(("tables", "pictures"), _sizes),
    **dict.fromkeys(("players", "downloads"), _count),
    "tasks": _flags,
    "links": _links,
    "code": _records(language=str, sees=str),
    "maths": _records(block=bool, sees=str),
}
GIVEN: Final = ("message", "messages", "choice", "choices", "completion")


@dataclass(frozen=True)
class Fixture:
    """One file: its name, its exact JSON texts, and its expectations."""

    name: str
    what: str
    messages: tuple[str, ...]
    choices: tuple[str, ...]
    fields: str
    expected: Json

    @property
    def completion_id(self) -> str:
        return f"chatcmpl-{self.name}"

    def completion(self) -> bytes:
        """The completion as a server sends it, with the fields and the choices of the file."""
        more = f",{self.fields}" if self.fields else ""
        head = f'"id":"{self.completion_id}","object":"chat.completion","model":"gpt-4o-mini"'
        return f'{{{head},"choices":[{",".join(self.choices)}]{more}}}'.encode()

    def page(self) -> bytes:
        """Its messages as a server lists them; those without an id get one, like the API's."""
        data = ",".join(
            with_id(text, f"{self.completion_id}-{at}") for at, text in enumerate(self.messages)
        )
        return f'{{"object":"list","data":[{data}],"has_more":false}}'.encode()


def fixtures(folder: Path = FOLDER) -> list[Fixture]:
    """All of them, checked. Raises ValueError that names the file."""
    return [_read(path) for path in sorted(folder.glob("*/*.json"))]


def _read(path: Path) -> Fixture:
    text = path.read_text(encoding="utf-8")
    name = f"{path.parent.name}.{path.stem}"
    loaded = json.loads(text)
    what = loaded.get("what")
    if not isinstance(what, str) or not what.endswith("."):
        raise ValueError(f"{name}: `what` is not a sentence")
    expected = {key: value for key, value in loaded.items() if key not in (*GIVEN, "what")}
    for key, value in expected.items():
        if key not in EXPECTATIONS or not EXPECTATIONS[key](value):
            raise ValueError(f"{name}: {key} is not an expectation with such a value")
    if not expected:
        raise ValueError(f"{name} expects nothing")
    written = _members(text)
    return Fixture(
        name,
        what,
        messages=_listed(written, "message", "messages"),
        choices=_listed(written, "choice", "choices"),
        fields=written.get("completion", "{}").strip()[1:-1].strip(),
        expected=expected,
    )


def _listed(written: dict[str, str], one: str, many: str) -> tuple[str, ...]:
    single = (written[one],) if one in written else ()
    return (*single, *_items(written.get(many, "[]")))


def _members(text: str) -> dict[str, str]:
    """The members of an object as they are written: numbers and repeated names stay."""
    members: dict[str, str] = {}
    at = _after_space(text, text.index("{") + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _after_space(text, text.index(":", at) + 1)
        _, at = _DECODER.raw_decode(text, start)
        members[name] = text[start:at]
        at = _after_space(text, at, "," + _SPACE)
    return members


def _items(text: str) -> tuple[str, ...]:
    """The items of an array as they are written."""
    items = []
    at = _after_space(text, text.index("[") + 1)
    while text[at] != "]":
        start = at
        _, at = _DECODER.raw_decode(text, start)
        items.append(text[start:at])
        at = _after_space(text, at, "," + _SPACE)
    return tuple(items)


def _after_space(text: str, at: int, skipped: str = " \t\r\n") -> int:
    while text[at] in skipped:
        at += 1
    return at


_SPACE: Final = " \t\r\n"
_DECODER: Final = json.JSONDecoder()


def with_id(text: str, message_id: str) -> str:
    """The message with that id in front, unless it has one or is no object."""
    loaded = json.loads(text)
    if not isinstance(loaded, dict) or "id" in loaded:
        return text
    comma = "," if loaded else ""
    return f'{{"id":{json.dumps(message_id)}{comma}{text.lstrip()[1:]}'
