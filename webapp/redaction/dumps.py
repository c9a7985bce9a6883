"""Texts that are written as numbers within a text: in dumps of bytes, and in lists of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from webapp.redaction.base64_texts import Base64Text, is_text

_DUMP_HINT: Final = re.compile(r"^[ \t]{0,8}[0-9a-fA-F]{6,16}:?[ ]{1,3}[0-9a-fA-F]{2}", re.M)
_GROUPS: Final = r"(?:(?:[0-9a-fA-F]{2}){1,8}(?:[ ]{1,2}|(?=\n|\Z))){1,33}"
_DUMP: Final = re.compile(
    # The offset, groups of digits, and the characters beside them, as `xxd` and `hexdump -C` do.
    rf"(?:^[ \t]{{0,8}}[0-9a-fA-F]{{6,16}}:?[ ]{{1,3}}{_GROUPS}[^\n]{{0,80}}(?:\n|\Z)|(?!))++",
    re.MULTILINE,
)
_DUMP_LINE: Final = re.compile(
    r"(?P<offset>[ \t]*[0-9a-fA-F]{6,16}:?[ ]{1,3})"
    rf"(?P<digits>{_GROUPS})(?P<shown>[^\n]*)(?:\n|\Z)"
)
_NUMBER: Final = r"(?:0[xX][0-9a-fA-F]{1,2}|[0-9]{1,3})(?![\w.])"
_LIST: Final = re.compile(rf"(?<![\w.,-]){_NUMBER}(?:,\s{{0,40}}{_NUMBER}){{7,16383}}+")
_LIST_HINT: Final = re.compile(rf"(?:,\s{{0,40}}{_NUMBER}){{3}}")
"""Without the first number, since commas are found faster."""


def iter_dumps(text: str) -> Iterator[Base64Text]:
    """Yield the texts whose bytes are dumped or listed as numbers within `text`."""
    if _DUMP_HINT.search(text):
        for match in _DUMP.finditer(text):
            yield from _read_dump(match)
    if _LIST_HINT.search(text):
        for match in _LIST.finditer(text):
            yield from _read_list(match)


def _read_dump(dump: re.Match[str]) -> Iterator[Base64Text]:
    lines = list(_DUMP_LINE.finditer(dump[0]))
    content = bytes.fromhex("".join(line["digits"] for line in lines))
    decoded = _decode(content)
    if decoded is not None:
        write = partial(_write_dump, lines=lines, ends_line=dump[0].endswith("\n"))
        yield Base64Text(*dump.span(), decoded, write, is_shown=True)


def _write_dump(text: str, lines: list[re.Match[str]], *, ends_line: bool) -> str:
    """Write `text` with as many bytes in a line as the first one has, and its groups."""
    first = lines[0]
    group = len(first["digits"].split()[0])
    width = len(first["digits"].replace(" ", "")) // 2
    offset = first["offset"].strip().rstrip(":")
    colon = ":" if ":" in first["offset"] else ""
    has_bars = first["shown"].startswith("|")
    content = text.encode("utf-8", "replace")
    written = []
    for at in range(0, len(content), width):
        row = content[at : at + width]
        digits = row.hex()
        groups = " ".join(digits[place : place + group] for place in range(0, len(digits), group))
        shown = "".join(chr(one) if 32 <= one < 127 else "." for one in row)
        shown = f"|{shown}|" if has_bars else shown
        written.append(f"{at:0{len(offset)}x}{colon} {groups}  {shown}")
    return "\n".join(written) + "\n" * ends_line


def _read_list(listed: re.Match[str]) -> Iterator[Base64Text]:
    numbers = [
        int(number, 0) if "x" in number.lower() else int(number)
        for number in re.findall(_NUMBER, listed[0])
    ]
    if max(numbers) > 255:
        return
    decoded = _decode(bytes(numbers))
    if decoded is not None:
        form = "0x{:02x}" if listed[0][1:2] in ("x", "X") else "{}"
        yield Base64Text(*listed.span(), decoded, partial(_write_list, form=form))


def _write_list(text: str, form: str) -> str:
    return ", ".join(map(form.format, text.encode("utf-8", "replace")))


def _decode(content: bytes) -> str | None:
    try:
        decoded = content.decode()
    except UnicodeDecodeError:
        return None
    return decoded if is_text(decoded) else None
