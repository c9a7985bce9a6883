"""Render plain text: with a number at each line, or with links."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup

from webapp.rendering.text.invisible import reveal_invisible
from webapp.rendering.urls import is_allowed_link, trim_address

_ADDRESS: Final = re.compile(r"https?://[^\s<>\"'`\\]{1,2000}", re.IGNORECASE)
_LINK: Final = Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>')


def link_addresses(text: str, *, own_host: str) -> Markup:
    """Escape `text`, with the web addresses of other hosts as links.

    `own_host` is the Host header of the request.
    """
    pieces: list[Markup] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        address = trim_address(found[0])
        if is_allowed_link(address, own_host=own_host):
            pieces.append(reveal_invisible(text[end : found.start()]))
            pieces.append(_LINK.format(address, address))
            end = found.start() + len(address)
    pieces.append(reveal_invisible(text[end:]))
    return Markup("").join(pieces)


def render_lines(text: str, first: int = 1) -> Markup:
    """Render `text` for a `<pre>`, each line in an element with its number, `first` and on."""
    lines = (
        f'<span class="line" data-line="{number}">{reveal_invisible(line)}</span>'
        for number, line in enumerate(re.split(r"(?<=\n)", text), start=first)
        if line
    )
    return Markup("".join(["\n", *lines]))
