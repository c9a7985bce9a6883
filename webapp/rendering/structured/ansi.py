"""Terminal output: colours as classes of a closed set, other control sequences left out.

Takes what programs write to a terminal. Colours and weights (SGR sequences) become `<span>`s
with classes; 256 colours and true colour go to the nearest of sixteen. Whatever moves the
cursor, sets titles or makes links is not shown here: the source beside it has every character.
Nothing is hidden, not even what a program asked to conceal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from webapp.rendering.text.invisible import reveal_invisible

MAX_RUNS: Final = 5_000
"""Changes of colour in one text; what follows stands without."""

NAMES: Final = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
COLOURS: Final = (*NAMES, *(f"bright-{name}" for name in NAMES))
EFFECTS: Final = ("bold", "dim", "italic", "underline", "strike", "inverse", "conceal")
CLASSES: Final = frozenset(
    (
        *(f"ansi-{name}" for name in COLOURS),
        *(f"ansi-on-{name}" for name in NAMES),
        *(f"ansi-{name}" for name in EFFECTS),
    )
)

_SEQUENCE: Final = re.compile(
    r"""(?:\x1b\[|\x9b)(?P<numbers>[0-?]*+)(?P<between>[ -/]*+)(?P<final>[@-~])
      | \x1b\][^\x07\x1b]*+(?:\x07|\x1b\\)   # titles and links
      | \x1b[PX^_][^\x1b]*+\x1b\\            # strings for the terminal itself
      | \x1b(?![\[\]PX^_])[ -/]*+[0-~]""",
    re.VERBOSE,
)
_TEXT, _GROUND, _LINE = _COLOURED = (38, 48, 58)
_LINE_END: Final = re.compile(r"\r++\n?")
_ON: Final = dict(
    zip((1, 2, 3, 4, 9, 7, 8, 21), (*EFFECTS[:5], "inverse", "conceal", "underline"), strict=True)
)
_OFF: Final[dict[int, tuple[str, ...]]] = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    27: ("inverse",),
    28: ("conceal",),
    29: ("strike",),
}
_DARK: Final = (
    *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)),
    *((0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
)
_BRIGHT: Final = (
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
    *((92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
)
_PALETTE: Final = (*_DARK, *_BRIGHT)


@dataclass(frozen=True, slots=True)
class _Style:
    """How text looks from here on: indexes of the palette, None for the terminal's own."""

    colour: int | None = None
    ground: int | None = None
    effects: frozenset[str] = frozenset()


_NONE: Final = _Style()


@dataclass(frozen=True, slots=True)
class Terminal:
    """A text as a terminal would colour it; `left_out` counts the sequences of other kinds."""

    html: Markup
    left_out: int = 0
    has_all_colours: bool = True


def has_sequences(text: str) -> bool:
    """Whether `text` was written for a terminal."""
    return ("\x1b" in text or "\x9b" in text) and _SEQUENCE.search(text) is not None


def render_ansi(text: str) -> Terminal:
    """`text` with its colours, for a `<pre>`. Progress bars keep each of their states."""
    out: list[str] = ["\n"]
    left_out = 0
    runs = 0
    style = shown = _NONE
    for piece, match in _pieces(text):
        if piece:
            if style != shown:
                runs += 1
                shown = style if runs <= MAX_RUNS else _NONE
            _write(out, piece, shown)
        if match is None:
            continue
        if match["final"] == "m" and not match["between"]:
            style = _changed(style, match["numbers"])
        else:
            left_out += 1
    return Terminal(Markup("".join(out)), left_out, runs <= MAX_RUNS)


def _pieces(text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """The text in front of each sequence with that sequence, then the rest with none."""
    at = 0
    for match in _SEQUENCE.finditer(text):
        yield text[at : match.start()], match
        at = match.end()
    yield text[at:], None


def _write(out: list[str], text: str, style: _Style) -> None:
    shown = str(reveal_invisible(_LINE_END.sub("\n", text)))
    names = _classes(style)
    out.append(f'<span class="{names}">{shown}</span>' if names else shown)


@lru_cache(maxsize=512)
def _classes(style: _Style) -> str:
    colour, ground = style.colour, style.ground
    effects = set(style.effects)
    if "inverse" in effects and (colour is not None or ground is not None):
        effects.discard("inverse")
        colour, ground = ground, 7 if colour is None else colour
    names = [] if colour is None else [f"ansi-{COLOURS[colour]}"]
    if ground is not None:
        names.append(f"ansi-on-{NAMES[ground % 8]}")
    return " ".join((*names, *(f"ansi-{name}" for name in EFFECTS if name in effects)))


def _changed(style: _Style, numbers: str) -> _Style:
    """`style` after one SGR sequence; what is not known changes nothing."""
    if numbers[:1] in ("<", "=", ">", "?"):
        return style
    codes = iter(numbers.split(";"))
    for written in codes:
        code, *inner = (_number(one) for one in written.split(":"))
        if code in _COLOURED:
            style = _coloured(style, code, _extended(inner, codes))
        elif code == 4 and inner[:1] == [0]:
            style = replace(style, effects=style.effects - {"underline"})
        else:
            style = _with(style, code)
    return style


def _coloured(style: _Style, code: int, index: int | None) -> _Style:
    """`style` with a colour of the palette. Lines under text have the colour of the text."""
    if index is None or code == _LINE:
        return style
    return replace(style, colour=index) if code == _TEXT else replace(style, ground=index)


def _with(style: _Style, code: int) -> _Style:
    """`style` after a number that stands for itself."""
    if code == 0:
        return _NONE
    if code in _ON:
        return replace(style, effects=style.effects | {_ON[code]})
    if code in _OFF:
        return replace(style, effects=style.effects.difference(_OFF[code]))
    tens, colour = divmod(code, 10)
    if colour > 7 and code not in (39, 49):
        return style
    if tens in (3, 9):
        return replace(style, colour=None if code == 39 else colour + (8 if tens == 9 else 0))
    if tens in (4, 10):
        return replace(style, ground=None if code == 49 else colour + (8 if tens == 10 else 0))
    return style


def _extended(inner: list[int], codes: Iterator[str]) -> int | None:
    """The palette's index of a colour written as `5;n` or `2;r;g;b`, or with colons."""
    if inner:
        kind, values = inner[0], inner[1:]
        # With colons a colour space, mostly empty, may stand in front of red, green and blue.
        values = values[-3:] if kind == 2 else values
    else:
        kind = _number(next(codes, ""))
        values = [_number(next(codes, "")) for _ in range({5: 1, 2: 3}.get(kind, 0))]
    if kind == 5 and values and values[0] < 256:
        return _of_256(values[0])
    if kind == 2 and len(values) == 3:
        return _nearest(min(values[0], 255), min(values[1], 255), min(values[2], 255))
    return None


def _of_256(index: int) -> int:
    if index < 16:
        return index
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return _nearest(grey, grey, grey)
    red, rest = divmod(index - 16, 36)
    levels = (0, 95, 135, 175, 215, 255)
    return _nearest(levels[red], levels[rest // 6], levels[rest % 6])


@lru_cache(maxsize=1024)
def _nearest(red: int, green: int, blue: int) -> int:
    """The index of the palette's colour that is nearest to this one."""
    return min(
        range(16),
        key=lambda index: sum(
            (one - other) ** 2
            for one, other in zip(_PALETTE[index], (red, green, blue), strict=True)
        ),
    )


def _number(written: str) -> int:
    """An SGR parameter; an empty one is 0, one of more than three digits no known code."""
    if not written:
        return 0
    return int(written) if len(written) < 4 and written.isdecimal() else 999
