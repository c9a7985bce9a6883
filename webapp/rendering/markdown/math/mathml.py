r"""Convert LaTeX to MathML: bounded before, rebuilt from an allow-list afterwards.

The library is recursive and ends the process if its stack overflows. So the length of a formula
is limited by the depth of a 16 MB stack, and a formula that could need more than a little of it
is converted in a thread with such a stack. The result is parsed as XML and rebuilt with the
elements and attributes on our list only; HTML inside MathML has deceived HTML sanitizers before.
"""

from __future__ import annotations

import re
from html.entities import html5
from threading import Lock, Thread, stack_size
from typing import Final
from xml.etree import ElementTree

from markupsafe import Markup, escape
from math_core import LatexError, LatexToMathML

from webapp.rendering.markdown.math.macros import expand_definitions
from webapp.rendering.markdown.math.rewriting import rewrite
from webapp.rendering.text.invisible import find_hidden

MAX_LENGTH: Final = 2_000
MAX_LEVELS: Final = 100
"""Nesting of elements; browsers stop at some hundreds."""

_STACK_BYTES: Final = 16 * 1024 * 1024
"""Nesting takes at most 2.7 kB a character."""

_SHALLOW: Final = 40
_OPENS: Final = re.compile(r"[\\{(\[^_!]|[^\x00-\x7f]")
"""Characters that may open another level: no others of ASCII take stack."""

_MAX_OUTPUT: Final = 40_000
_LONG_SOURCE: Final = 30
_LONG_TEXT: Final = 24
"""Characters of LaTeX, and of the text that is shown for it, which is never broken into lines. A
longer formula may be wider than a phone, with some font, and scrolls by keyboard."""

_WIDE_TEXT: Final = 70
"""Characters that are about as wide as paper: a wider formula is broken into lines there."""

_BREAKABLE: Final = frozenset({"math", "mrow", "mstyle", "mtable", "mtd", "mtext"})

_STACK_SIZE_LOCK: Final = Lock()
_CONVERTER: Final = LatexToMathML(
    fancy_error=False, max_expansions=MAX_LENGTH, allow_unreliable_rendering=True
)
_UNSEEN: Final = re.compile(
    r"\\(?!bullet)[A-Za-z]*(?:command|def|let)(?![A-Za-z])|(?<!\\)(?:\\\\)*%"
)
"""Comments, and definitions that are not expanded: the reader would not see them, and the library
may expand a definition to a formula longer and deeper than the source."""

_ENTITY: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{0,40});")
_VALUE: Final = re.compile(r"[A-Za-z0-9.%+-]{1,20}")

_SPACES: Final = frozenset({"lspace", "rspace"})
_PLAIN_ELEMENTS: Final = [
    "mn",
    "mrow",
    "ms",
    "msqrt",
    "mroot",
    "msub",
    "msup",
    "msubsup",
    "mmultiscripts",
    "mprescripts",
    "mphantom",
    "mtext",
    "mtr",
]
_ELEMENTS: Final[dict[str, frozenset[str]]] = {
    **{name: frozenset() for name in _PLAIN_ELEMENTS},
    "math": frozenset({"display"}),
    "mfrac": frozenset({"linethickness"}),
    "mi": frozenset({"mathvariant"}),
    "mo": _SPACES.union(
        [
            "fence",
            "form",
            "largeop",
            "maxsize",
            "minsize",
            "movablelimits",
            "separator",
            "stretchy",
            "symmetric",
        ]
    ),
    "mover": frozenset({"accent"}),
    "mpadded": _SPACES | {"depth", "height", "voffset", "width"},
    "mspace": frozenset({"depth", "height", "width"}),
    "mstyle": frozenset({"displaystyle", "scriptlevel"}),
    "mtable": frozenset({"displaystyle", "scriptlevel"}),
    "mtd": frozenset({"columnspan", "rowspan"}),
    "munder": frozenset({"accentunder"}),
    "munderover": frozenset({"accent", "accentunder"}),
}
_LINES: Final = {"mover": "math-line-over", "munder": "math-line-under"}
_LOW_LINE: Final = "\u0332"
"""The library's line above and below a formula; its accents are other characters."""

_STYLES: Final = {
    ("text-align", "left"): "math-left",
    ("text-align", "right"): "math-right",
    ("padding-left", "0"): "math-close-left",
    ("padding-right", "0"): "math-close-right",
    ("border-left", ""): "math-line-left",
    ("border-right", ""): "math-line-right",
    ("border-top", ""): "math-line-top",
    ("border-bottom", ""): "math-line-bottom",
    ("width", "100%"): "math-numbered",
    ("width", "50%"): "math-half",
}
_ENCLOSURES: Final = {
    "box": "math-box",
    "updiagonalstrike": "math-strike-up",
    "downdiagonalstrike": "math-strike-down",
    "updiagonalstrike downdiagonalstrike": "math-strike-both",
    "horizontalstrike": "math-strike-through",
    "actuarial": "math-actuarial",
}
_FACES: Final = {
    "b": "math-bold",
    "code": "math-mono",
    "em": "math-italic",
    "i": "math-italic",
    "u": "math-underlined",
    "s": "math-struck",
    "span.math-core-sans-serif-font": "math-sans",
    "span.math-core-serif-font": "math-serif",
}
"""Elements of HTML inside texts, with their classes, and the only thing kept of each: a class."""


def render_formula(latex: str, *, display: bool) -> Markup | None:
    """Render `latex` as MathML in a separate box, or return None if its source must be shown.

    That is so if it cannot be converted, and if it contains hidden characters or changes the
    direction of text: these can be marked in the source.
    """
    if len(latex) > MAX_LENGTH or find_hidden(latex):
        return None
    expanded = expand_definitions(latex)
    if _UNSEEN.search(expanded):
        return None
    known = rewrite(expanded)
    if len(known) > 2 * MAX_LENGTH:
        return None
    is_deep = len(_OPENS.findall(known)) > _SHALLOW
    math = _convert_with_deep_stack(known, display) if is_deep else _convert(known, display)
    if math is None:
        return None
    text = "".join(math.itertext())
    if find_hidden(text):
        return None
    if len(text) > _WIDE_TEXT:
        _mark_wide(math)
    math.set("alttext", latex)
    html = ElementTree.tostring(math, encoding="unicode")
    longest = _LONG_SOURCE if display else 2 * _LONG_SOURCE
    is_long = len(latex) > longest or len(text) > _LONG_TEXT
    kind = "formula-display" if display else "formula-long" if is_long else "formula-inline"
    tabindex = Markup(' tabindex="0"') if is_long else ""
    return Markup('<span class="{}"{}>{}</span>').format(kind, tabindex, Markup(html))


def render_source(source: str) -> Markup:
    """Render a formula that cannot be converted as its source."""
    return Markup('<code class="formula-source">{}</code>').format(escape(source))


def _convert(latex: str, display: bool) -> ElementTree.Element | None:
    try:
        xml = _CONVERTER.convert_with_local_state(latex, displaystyle=display)
        if len(xml) > _MAX_OUTPUT:
            return None
        # HTML defines named entities that XML does not.
        xml = _ENTITY.sub(lambda found: html5.get(f"{found[1]};", found[0]), xml)
        return _rebuild(ElementTree.fromstring(xml))
    except (LatexError, ElementTree.ParseError, _NotAllowed):
        return None


def _convert_with_deep_stack(latex: str, display: bool) -> ElementTree.Element | None:
    """Convert in a new thread. The stack size is a setting of all new threads, hence the lock."""
    found: list[ElementTree.Element | None] = []
    thread = Thread(target=lambda: found.append(_convert(latex, display)))
    with _STACK_SIZE_LOCK:
        usual = stack_size(_STACK_BYTES)
        try:
            thread.start()
        finally:
            stack_size(usual)
    thread.join()
    return found[0] if found else None


class _NotAllowed(Exception):
    """The library returned an element that is not on our list."""


def _rebuild(found: ElementTree.Element, level: int = 0) -> ElementTree.Element:
    """Copy `found` with only the elements and attributes on our list."""
    if level > MAX_LEVELS:
        raise _NotAllowed(found.tag)
    if found.tag == "menclose":
        # Browsers do not support it: the style sheet draws a row instead.
        css = _ENCLOSURES.get(found.get("notation", ""))
        if css is None:
            raise _NotAllowed(found.tag)
        made = ElementTree.Element("mrow", {"class": css})
    elif found.tag == "mtext" and len(found):
        return _rebuild_text(found)
    else:
        allowed = _ELEMENTS.get(found.tag)
        if allowed is None:
            raise _NotAllowed(found.tag)
        attributes = {k: v for k, v in found.attrib.items() if k in allowed and _VALUE.fullmatch(v)}
        made = ElementTree.Element(found.tag, attributes)
        if classes := _convert_style(found.get("style", "")):
            made.set("class", classes)
    made.text, made.tail = found.text, found.tail
    for child in found:
        made.append(_rebuild(child, level + 1))
    return _replace_line(made)


def _rebuild_text(found: ElementTree.Element) -> ElementTree.Element:
    """Rebuild a text in another face without the elements of HTML that the library uses."""
    faces = []
    inner = found
    while len(inner):
        face = _FACES.get(".".join(filter(None, (inner[0].tag, inner[0].get("class")))))
        if len(inner) > 1 or inner.text or inner[0].tail or face is None:
            raise _NotAllowed(inner[0].tag)
        inner = inner[0]
        faces.append(face)
    made = ElementTree.Element("mtext", {"class": " ".join(dict.fromkeys(faces))})
    made.text, made.tail = inner.text, found.tail
    return made


def _replace_line(made: ElementTree.Element) -> ElementTree.Element:
    """Let the style sheet draw a line above or below: few fonts can stretch a character to the
    length of `\\overline{ABC}`."""
    css = _LINES.get(made.tag)
    if css is None or len(made) != 2 or made[1].text != _LOW_LINE:
        return made
    row = ElementTree.Element("mrow", {"class": css})
    row.append(made[0])
    row.tail = made.tail
    return row


def _mark_wide(element: ElementTree.Element) -> int:
    """Mark the elements that are wider than paper, for the style sheet.

    Return about how many characters wide `element` is.
    """
    widths = [_mark_wide(child) for child in element]
    # Cells have a space between them.
    own = len(element.text or "") + 2 * (element.tag == "mtd")
    is_stack = element.tag in ("mtable", "mfrac", "munder", "mover", "munderover")
    width = own + (max(widths, default=0) if is_stack else sum(widths))
    if width > _WIDE_TEXT and element.tag in _BREAKABLE:
        element.set("class", f"{element.get('class', '')} math-wide".strip())
    return width


def _convert_style(style: str) -> str:
    """Convert `style` to classes: the page's policy forbids style attributes."""
    names = []
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.strip()
        known = _STYLES.get((name, "" if name.startswith("border-") else value))
        if known:
            names.append(known)
    return " ".join(names)
