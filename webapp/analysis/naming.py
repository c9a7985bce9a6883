"""Parse the arguments of calls, and name calls for readers by them: the tool, the first words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from webapp.exact_json import Array, NotJson, Object, String, Value, parse
from webapp.messages import Call, ToolCall
from webapp.recent import RecentValues

_MOST_BYTES: Final = 8 * 1024 * 1024
_LARGEST: Final = 1024 * 1024
_PER_VALUE: Final = 500
"""Bytes of a member or an item, its name included."""

_parsed: Final[RecentValues[str, Value]] = RecentValues(_MOST_BYTES, largest=_LARGEST)

_MOST: Final = 64 * 1024
_SHELL_MEMBERS: Final = ("command", "cmd", "script")
_TOLD_FIRST: Final = (*_SHELL_MEMBERS, "query", "pattern", "path", "file_path", "filename", "file")
_RUNNERS: Final = frozenset(
    (
        "sudo",
        "env",
        "time",
        "nice",
        "timeout",
        "npx",
        "uv",
        "run",
        "python",
        "python3",
        "-m",
        "exec",
    )
)
ANSI: Final = re.compile(r"\x1b\[[0-9;?]{0,32}[@-~]")
_WORD: Final = re.compile(r"[\w./+-]{1,60}")


def parse_arguments(text: str) -> Value:
    """Parse the arguments of a call, or return their recent value. Raise `NotJson`."""
    value = _parsed.get(text)
    if value is None:
        value = parse(text)
        size = 4 * len(text) + _PER_VALUE * (1 + text.count(",") + text.count("["))
        _parsed.keep(text, value, size)
    return value


def is_cut_off(call: object) -> bool:
    """Return whether the arguments of `call` end in the middle, so that it was never complete."""
    if not isinstance(call, ToolCall) or call.type == "custom" or not call.arguments:
        return False
    try:
        parse_arguments(call.arguments)
    except NotJson as problem:
        return problem.at_end and bool(call.arguments.strip())
    return False


@dataclass(frozen=True, slots=True)
class CallName:
    """A call in a few words: `tool`, the `program` that a shell runs, and the first `words`."""

    tool: str
    program: str | None
    words: str

    @property
    def label(self) -> str:
        """The tool, and the program after it: `shell: pytest`."""
        return f"{self.tool}: {self.program}" if self.program else self.tool


def name_call(call: Call) -> CallName:
    """Find the names of `call`; a call of unknown shape is named by its kind."""
    if not isinstance(call, ToolCall):
        return CallName(call.label, None, shorten(call.json.source))
    tool = call.name or "no name"
    text = call.arguments or ""
    try:
        arguments = parse_arguments(text) if len(text) <= _MOST else None
    except NotJson:
        arguments = None
    if not isinstance(arguments, Object):
        return CallName(tool, None, shorten(text))
    command = _get_first_text(arguments, _SHELL_MEMBERS)
    told = _get_first_text(arguments, _TOLD_FIRST)
    if told is None:
        scalars = (member.value for member in arguments.members)
        texts = [value.text if isinstance(value, String) else value.source for value in scalars]
        told = ", ".join(text for text in texts if text)
    return CallName(tool, _find_program(command) if command else None, shorten(told))


def shorten(text: str, limit: int = 80) -> str:
    """Shorten `text` to its beginning on one line, without the colours of a terminal."""
    one_line = " ".join(ANSI.sub("", text[: 8 * limit]).split())
    return one_line if len(one_line) <= limit else f"{one_line[: limit - 1]}…"


def _get_first_text(arguments: Object, names: Iterable[str]) -> str | None:
    """Find the first text among `names` that is not blank; the texts of a list are joined."""
    for name in names:
        value = arguments.get(name)
        items = value.items if isinstance(value, Array) else (value,)
        text = " ".join(item.text for item in items if isinstance(item, String)).strip()
        if text:
            return text
    return None


def _find_program(command: str) -> str | None:
    """Find the first program of a shell command, past those that only start another one."""
    skipped = None
    steps = re.split(r"&&|;|\n", command[:2000])
    for word in " ".join(step for step in steps if not step.strip().startswith("cd ")).split():
        if "=" in word or word in _RUNNERS:
            skipped = word if word in _RUNNERS else skipped
        elif word not in ("bash", "sh", "zsh", "-c", "-lc", "set", "-e"):
            return word if _WORD.fullmatch(word) else skipped
    return skipped
