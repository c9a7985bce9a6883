"""Render a text with a number at each line, which is not part of the text."""

from __future__ import annotations

import re

from markupsafe import Markup

from webapp.rendering.text.invisible import reveal_invisible


def render_lines(text: str, first: int = 1) -> Markup:
    """Render `text` for a `<pre>`, each line in an element with its number, `first` and on."""
    lines = (
        Markup('<span class="line" data-line="{}">{}</span>').format(number, reveal_invisible(line))
        for number, line in enumerate(re.split(r"(?<=\n)", text), start=first)
        if line
    )
    return Markup("\n") + Markup("").join(lines)
