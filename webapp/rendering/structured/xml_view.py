"""XML indented for reading: every tag, text and comment as it was written.

Only text that is well-formed as a whole and declares nothing: without a document type there are
no entities to expand. Reading is left to expat, which does not recurse.
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
"""White space as XML has it; other spaces are text."""

_DECLARATION: Final = re.compile(r"<!(?!--|\[CDATA\[)")
# In well-formed text these are all there is between the beginning and the end.
_TOKEN: Final = re.compile(
    r"""(?P<other><!--.*?--> | <\?.*?\?>)
      | (?P<text>(?: [^<]++ | <!\[CDATA\[.*?\]\]> )++)
      | (?P<end></[^>]*+>)
      | (?P<tag><[^>"']*+ (?:"[^"]*+"[^>"']*+ | '[^']*+'[^>"']*+)*+ >)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class _Token:
    """A piece of the text; of a start tag also what its element holds and where that ends."""

    kind: str
    text: str
    last: int = 0
    has_elements: bool = False
    has_text: bool = False

    @property
    def is_mixed(self) -> bool:
        return self.has_text and self.has_elements


def render_xml(text: str, *, may_be_prose: bool) -> Markup | None:
    """`text` indented, for a `<pre>`; None when it is not XML that is read better so.

    With `may_be_prose` an element that holds both text and elements speaks for marked prose.
    """
    if not _is_well_formed(text):
        return None
    tokens = _tokens(text.strip(_SPACE))
    starts = [token for token in tokens if token.kind in ("start", "empty")]
    if len(starts) < _MIN_ELEMENTS or starts[0].is_mixed:
        return None
    if may_be_prose and any(token.is_mixed for token in starts):
        return None
    return Markup("\n" + "".join(_lines(tokens)).lstrip("\n"))


def _is_well_formed(text: str) -> bool:
    text = text.strip(_SPACE)
    if text[:1] != "<" or text[-1:] != ">" or _DECLARATION.search(text):
        return False
    try:
        parser = expat.ParserCreate("utf-8")
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True


def _tokens(text: str) -> list[_Token]:
    """The pieces of `text`, which is well-formed."""
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


def _lines(tokens: list[_Token]) -> Iterator[str]:
    """The tokens with line breaks and indents between elements, never inside a text."""
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
        coloured += token.kind != "text"
        yield _shown(token, coloured <= _MAX_COLOURED)
        if token.kind == "start":
            depth += 1
            if not inside and (token.has_text or not token.has_elements):
                verbatim_to = token.last


def _shown(token: _Token, coloured: bool) -> str:
    shown = str(reveal_invisible(token.text))
    if token.kind == "text" or not coloured:
        return shown
    return f'<span class="xml-tag">{shown}</span>'
