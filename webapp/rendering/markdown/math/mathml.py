r"""LaTeX to MathML that a page can hold: bounded before, rebuilt from a list afterwards.

The library calls itself for what stands inside something else, and takes the process with it
when its stack ends. So a formula is at most as long as a stack of ours is deep, and one that
could need more than a little of it is set in a thread with such a stack. What comes back is read
as XML and written again with the elements and attributes of our list alone; HTML in MathML is
where cleaners of HTML have been deceived.
"""

from __future__ import annotations

import re
from html.entities import html5
from threading import Lock, Thread, stack_size
from typing import Final
from xml.etree import ElementTree

from markupsafe import Markup, escape
from math_core import LatexError, LatexToMathML

from webapp.rendering.text.invisible import find_hidden

MAX_LENGTH: Final = 2_000
MAX_LEVELS: Final = 100
"""Elements inside elements; a browser stops at some hundreds."""

_STACK_BYTES: Final = 16 * 1024 * 1024
"""What can stand inside something else takes at most 2.7 kB a character."""

_SHALLOW: Final = 40
_OPENS: Final = re.compile(r"[\\{(\[^_!]|[^\x00-\x7f]")
"""What another level may begin with: nothing else of ASCII takes stack."""

_MAX_OUTPUT: Final = 40_000
_LONG: Final = 30
"""Characters from which a formula may be wider than a phone, and scrolls by the keyboard."""

_STACK_SIZE_LOCK: Final = Lock()
_CONVERTER: Final = LatexToMathML(fancy_error=False, max_expansions=MAX_LENGTH)
_UNSEEN: Final = re.compile(r"\\[A-Za-z]*(?:command|def|let)(?![A-Za-z])|(?<!\\)(?:\\\\)*%")
"""A definition or a comment would not be seen; and what a definition stands for makes a formula
longer, and deeper, than it is."""

_ENTITY: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]{0,40});")
_XML_ENTITIES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_VALUE: Final = re.compile(r"[A-Za-z0-9.%+-]{1,20}")

_SPACES: Final = frozenset({"lspace", "rspace"})
_ELEMENTS: Final[dict[str, frozenset[str]]] = {
    **{name: frozenset() for name in ("mn", "mrow", "ms", "msqrt", "mroot", "msub", "msup")},
    **{name: frozenset() for name in ("msubsup", "mmultiscripts", "mprescripts", "mphantom")},
    **{name: frozenset() for name in ("mtext", "mtr")},
    "math": frozenset({"display"}),
    "mfrac": frozenset({"linethickness"}),
    "mi": frozenset({"mathvariant"}),
    "mo": _SPACES
    | {"fence", "form", "largeop", "maxsize", "minsize", "movablelimits", "separator"}
    | {"stretchy", "symmetric"},
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
"""What the library puts above and below; what it makes of accents are other characters."""

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
}


def formula(latex: str, *, display: bool) -> Markup | None:
    """`latex` as MathML in a box of its own; None for what stays as it was written.

    What hides characters or turns the reading direction stays, since the source can be marked.
    """
    if len(latex) > MAX_LENGTH or _UNSEEN.search(latex) or find_hidden(latex):
        return None
    needs_room = len(_OPENS.findall(latex)) > _SHALLOW
    math = _with_deep_stack(latex, display) if needs_room else _math(latex, display)
    if math is None or find_hidden("".join(math.itertext())):
        return None
    math.set("alttext", latex)
    html = ElementTree.tostring(math, encoding="unicode")
    long = len(latex) > (_LONG if display else 2 * _LONG)
    kind = "formula-display" if display else "formula-long" if long else "formula-inline"
    reach = Markup(' tabindex="0"') if long else ""
    return Markup('<span class="{}"{}>{}</span>').format(kind, reach, Markup(html))


def as_written(source: str) -> Markup:
    """A formula that is not set, as it stands in the text."""
    return Markup('<code class="formula-source">{}</code>').format(escape(source))


def _math(latex: str, display: bool) -> ElementTree.Element | None:
    try:
        written = _CONVERTER.convert_with_local_state(latex, displaystyle=display)
        if len(written) > _MAX_OUTPUT:
            return None
        return _rebuilt(ElementTree.fromstring(_without_names(written)))
    except (LatexError, ElementTree.ParseError, _NotOnTheList):
        return None


def _with_deep_stack(latex: str, display: bool) -> ElementTree.Element | None:
    """As `_math`, in a thread of its own. The size of stacks is one for all new threads."""
    found: list[ElementTree.Element | None] = []
    thread = Thread(target=lambda: found.append(_math(latex, display)))
    with _STACK_SIZE_LOCK:
        usual = stack_size(_STACK_BYTES)
        try:
            thread.start()
        finally:
            stack_size(usual)
    thread.join()
    return found[0] if found else None


class _NotOnTheList(Exception):
    """The library made something that we do not know to be harmless."""


def _rebuilt(found: ElementTree.Element, level: int = 0) -> ElementTree.Element:
    """`found` with nothing but what is on the list."""
    if level > MAX_LEVELS:
        raise _NotOnTheList(found.tag)
    allowed = _ELEMENTS.get(found.tag)
    if found.tag == "menclose":
        made = _enclosed(found)
    elif allowed is None:
        raise _NotOnTheList(found.tag)
    else:
        attributes = {k: v for k, v in found.attrib.items() if k in allowed and _VALUE.fullmatch(v)}
        made = ElementTree.Element(found.tag, attributes)
        if classes := _classes(found.get("style", "")):
            made.set("class", classes)
    made.text, made.tail = found.text, found.tail
    for child in found:
        made.append(_rebuilt(child, level + 1))
    return _lined(made)


def _lined(made: ElementTree.Element) -> ElementTree.Element:
    """A line above or below is drawn by the style sheet: few fonts can stretch a character to
    the length of `\\overline{ABC}`."""
    drawn = _LINES.get(made.tag)
    if drawn is None or len(made) != 2 or made[1].text != _LOW_LINE:
        return made
    row = ElementTree.Element("mrow", {"class": drawn})
    row.append(made[0])
    row.tail = made.tail
    return row


def _enclosed(found: ElementTree.Element) -> ElementTree.Element:
    """Browsers draw no `menclose`: a row whose class the style sheet draws."""
    drawn = _ENCLOSURES.get(found.get("notation", ""))
    if drawn is None:
        raise _NotOnTheList(found.tag)
    return ElementTree.Element("mrow", {"class": drawn})


def _classes(style: str) -> str:
    """The classes for a style: the page's policy allows no style attribute."""
    names = []
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.strip()
        known = _STYLES.get((name, "" if name.startswith("border-") else value))
        if known:
            names.append(known)
    return " ".join(names)


def _without_names(xml: str) -> str:
    """`xml` with the characters that HTML has names for and XML has not."""
    return _ENTITY.sub(
        lambda found: (
            found[0] if found[1] in _XML_ENTITIES else html5.get(f"{found[1]};", found[0])
        ),
        xml,
    )
