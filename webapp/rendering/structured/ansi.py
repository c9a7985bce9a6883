"""Render terminal output: colours as classes of a closed set, without other control sequences.

Colours and weights (SGR sequences) become `<span>`s with classes; 256 colours and true colour
become the nearest of sixteen. Sequences that move the cursor, set titles or make links are left
out; the source shows them. No text is hidden, even if a program asked to conceal it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from webapp.rendering.text.invisible import reveal_invisible

MAX_RUNS: Final = 5_000
"""Changes of colour in one text; the text after them is not coloured."""

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
_TEXT: Final = 38
_GROUND: Final = 48
_UNDERLINE: Final = 58
_LINE_END: Final = re.compile(r"\r++\n?")
_ON: Final = {
    1: "bold",
    2: "dim",
    3: "italic",
    4: "underline",
    7: "inverse",
    8: "conceal",
    9: "strike",
    21: "underline",
}
_OFF: Final[dict[int, tuple[str, ...]]] = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    27: ("inverse",),
    28: ("conceal",),
    29: ("strike",),
}
_LEVELS: Final = (0, 95, 135, 175, 215, 255)
_PALETTE: Final = (
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
)
_PALETTE_256: Final = (
    *_PALETTE,
    *itertools.product(_LEVELS, repeat=3),
    *((grey, grey, grey) for grey in range(8, 248, 10)),
)


@dataclass(frozen=True, slots=True)
class _Style:
    """The look of a text: colours as indexes of the palette, None for the terminal's own."""

    colour: int | None = None
    ground: int | None = None
    effects: frozenset[str] = frozenset()

    @property
    def classes(self) -> str:
        colour, ground = self.colour, self.ground
        effects = set(self.effects)
        if "inverse" in effects and (colour is not None or ground is not None):
            effects.discard("inverse")
            colour, ground = ground, 7 if colour is None else colour
        names = [] if colour is None else [f"ansi-{COLOURS[colour]}"]
        if ground is not None:
            names.append(f"ansi-on-{NAMES[ground % 8]}")
        return " ".join((*names, *(f"ansi-{name}" for name in EFFECTS if name in effects)))

    def apply(self, parameters: str) -> _Style:
        """Apply an SGR sequence; unknown parameters change nothing."""
        if parameters[:1] in ("<", "=", ">", "?"):
            return self
        style = self
        codes = iter(parameters.split(";"))
        for written in codes:
            code, *inner = (_parse_number(one) for one in written.split(":"))
            if code in (_TEXT, _GROUND, _UNDERLINE):
                index = _parse_colour(inner, codes)
                # An underline has the colour of its text.
                if index is not None and code != _UNDERLINE:
                    style = (
                        replace(style, colour=index)
                        if code == _TEXT
                        else replace(style, ground=index)
                    )
            elif code == 4 and inner[:1] == [0]:
                style = replace(style, effects=style.effects - {"underline"})
            else:
                style = style.apply_code(code)
        return style

    def apply_code(self, code: int) -> _Style:
        """Apply a code that takes no parameters."""
        if code == 0:
            return _PLAIN
        if code in _ON:
            return replace(self, effects=self.effects | {_ON[code]})
        if code in _OFF:
            return replace(self, effects=self.effects.difference(_OFF[code]))
        tens, colour = divmod(code, 10)
        if colour > 7 and code not in (39, 49):
            return self
        if tens in (3, 9):
            return replace(self, colour=None if code == 39 else colour + (8 if tens == 9 else 0))
        if tens in (4, 10):
            return replace(self, ground=None if code == 49 else colour + (8 if tens == 10 else 0))
        return self


_PLAIN: Final = _Style()


@dataclass(frozen=True, slots=True)
class AnsiText:
    """A text in the colours of a terminal; `left_out` counts the sequences that do not colour."""

    html: Markup
    left_out: int = 0
    has_all_colours: bool = True


def has_sequences(text: str) -> bool:
    """Return whether `text` was written for a terminal."""
    return ("\x1b" in text or "\x9b" in text) and _SEQUENCE.search(text) is not None


def render_excerpt(text: str) -> Markup:
    """Render a piece of a text in one line of prose, without the sequences of a terminal."""
    return reveal_invisible(_SEQUENCE.sub("", text) if has_sequences(text) else text)


def render_ansi(text: str) -> AnsiText:
    """Render `text` in its colours, for a `<pre>`; each state of a progress bar is a line."""
    html: list[str] = ["\n"]
    left_out = runs = offset = 0
    style = shown = _PLAIN
    for found in itertools.chain(_SEQUENCE.finditer(text), [None]):
        piece = text[offset : found.start() if found else None]
        if piece:
            if style != shown:
                runs += 1
                shown = style if runs <= MAX_RUNS else _PLAIN
            written = reveal_invisible(_LINE_END.sub("\n", piece))
            classes = shown.classes
            html.append(f'<span class="{classes}">{written}</span>' if classes else written)
        if found is None:
            break
        offset = found.end()
        if found["final"] == "m" and not found["between"]:
            style = style.apply(found["numbers"])
        else:
            left_out += 1
    return AnsiText(Markup("".join(html)), left_out, runs <= MAX_RUNS)


def _parse_colour(inner: list[int], codes: Iterator[str]) -> int | None:
    """Parse the palette index of a colour written as `5;n` or `2;r;g;b`, or with colons."""
    if inner:
        kind, values = inner[0], inner[1:]
        # With colons a colour space, mostly empty, may come before red, green and blue.
        values = values[-3:] if kind == 2 else values
    else:
        kind = _parse_number(next(codes, ""))
        values = [_parse_number(next(codes, "")) for _ in range({5: 1, 2: 3}.get(kind, 0))]
    if kind == 5 and values and values[0] < 256:
        return _find_nearest(*_PALETTE_256[values[0]])
    if kind == 2 and len(values) == 3:
        return _find_nearest(min(values[0], 255), min(values[1], 255), min(values[2], 255))
    return None


@lru_cache(maxsize=1024)
def _find_nearest(red: int, green: int, blue: int) -> int:
    """Find the index of the nearest colour of the palette."""
    distances = [
        (red - other[0]) ** 2 + (green - other[1]) ** 2 + (blue - other[2]) ** 2
        for other in _PALETTE
    ]
    return distances.index(min(distances))


def _parse_number(written: str) -> int:
    """Parse an SGR parameter: 0 if empty, 999, which is unknown, if longer than three digits."""
    if not written:
        return 0
    return int(written) if len(written) < 4 and written.isdecimal() else 999
