"""Render XML indented for reading: tags, texts and comments stay as written.

Only text that is well-formed as a whole and declares nothing is read: without a document type
there are no entities to expand. The parser is expat, which does not recurse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from markupsafe import Markup

from webapp.rendering.text.invisible import reveal_invisible

MAX_LEVELS: Final = 40
_MAX_COLOURED: Final = 3_000
_MIN_ELEMENTS: Final = 3
_SPACE: Final = " \t\r\n"
"""White space in XML; other spaces are text."""

_DECLARATION: Final = re.compile(r"<!(?!--|\[CDATA\[)")
# Well-formed text consists of these.
_TOKEN: Final = re.compile(
    r"""(?P<other><!--.*?--> | <\?.*?\?>)
      | (?P<text>(?: [^<]++ | <!\[CDATA\[.*?\]\]> | (?!) )++)
      | (?P<end></[^>]*+>)
      | (?P<tag><[^>"']*+ (?:"[^"]*+"[^>"']*+ | '[^']*+'[^>"']*+|(?!))*+ >)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class _Token:
    """A piece of the text; a start tag also knows its content, and the index of its end tag."""

    kind: str
    text: str
    last: int = 0
    has_elements: bool = False
    has_text: bool = False

    @property
    def is_mixed(self) -> bool:
        return self.has_text and self.has_elements


def render_xml(text: str, *, may_be_prose: bool) -> Markup | None:
    """Render `text` indented, for a `<pre>`; None if it is not XML or not better to read so.

    With `may_be_prose`, return None also if an element contains both text and elements: that is
    prose with tags.
    """
    text = text.strip(_SPACE)
    if text[:1] != "<" or text[-1:] != ">" or _DECLARATION.search(text):
        return None
    try:
        expat.ParserCreate("utf-8").Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return None
    tokens = _split_tokens(text)
    starts = [token for token in tokens if token.kind in ("start", "empty")]
    if len(starts) < _MIN_ELEMENTS or starts[0].is_mixed:
        return None
    if may_be_prose and any(token.is_mixed for token in starts):
        return None
    return Markup("\n" + "".join(_iter_indented(tokens)).lstrip("\n"))


def _split_tokens(text: str) -> list[_Token]:
    """Split `text`, which is well-formed, into tokens."""
    tokens: list[_Token] = []
    open_at: list[int] = []
    for match in _TOKEN.finditer(text):
        kind, written = match.lastgroup or "", match[0]
        if kind == "tag":
            kind = "empty" if written.endswith("/>") else "start"
        if kind == "end":
            tokens[open_at.pop()].last = len(tokens)
        elif open_at and kind in ("start", "empty", "other"):
            tokens[open_at[-1]].has_elements = True
        elif open_at and written.strip(_SPACE):
            tokens[open_at[-1]].has_text = True
        if kind == "start":
            open_at.append(len(tokens))
        tokens.append(_Token(kind, written))
    return tokens


def _iter_indented(tokens: list[_Token]) -> Iterator[str]:
    """Yield the tokens with line breaks and indents between elements, never within a text."""
    depth = 0
    verbatim_to = -1
    coloured = 0
    for at, token in enumerate(tokens):
        depth -= token.kind == "end"
        inside = at <= verbatim_to
        if not inside and token.kind == "text" and not token.text.strip(_SPACE):
            continue
        if not inside:
            yield "\n" + "  " * min(depth, MAX_LEVELS)
        html = reveal_invisible(token.text)
        if token.kind == "text":
            yield html
            continue
        coloured += 1
        yield f'<span class="xml-tag">{html}</span>' if coloured <= _MAX_COLOURED else html
        if token.kind == "start":
            depth += 1
            if not inside and (token.has_text or not token.has_elements):
                verbatim_to = token.last
