"""Page or fragment: everything that knows htmx.

A URL answers with a whole page, or, when htmx asks, with the part of it that is swapped in.
The fragment is a template of its own that the page includes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import cast

from flask import Response, make_response, render_template, request
from htmx_flask.requests import HtmxHeaders

log = logging.getLogger("readback")

PIECE_CHARACTERS = 16_384
VARY = ("HX-Request", "HX-History-Restore-Request")


def wants_fragment() -> bool:
    """Whether the answer will be swapped into a page that is already there."""
    htmx = cast(HtmxHeaders, request.htmx)  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page_or_fragment(page: str, fragment: str, **context: object) -> Response:
    """`page` rendered, or only `fragment` of it when htmx asks."""
    return make_response(render_template(fragment if wants_fragment() else page, **context))


def in_pieces(parts: Iterable[str], *, broken_off: str) -> Iterator[str]:
    """The parts of a streamed page joined to pieces worth sending, one ending with each section.

    A template gives a part for every variable in it; sent by themselves they would cost more
    than rendering them does. When making them fails, `broken_off` is the last piece: the status
    is long sent, and a page that merely ended would look whole.
    """
    waiting: list[str] = []
    size = 0
    try:
        for part in parts:
            waiting.append(part)
            size += len(part)
            if size > PIECE_CHARACTERS or "</section>" in part:
                yield "".join(waiting)
                waiting, size = [], 0
    except Exception:
        log.exception("a streamed page broke off")
        waiting = [_whole_bubbles("".join(waiting)), broken_off]
    yield "".join(waiting)


def _whole_bubbles(html: str) -> str:
    """`html` without the bubble that was just being made, and perhaps stands amid a tag."""
    return html[: html.rfind("</article>") + len("</article>")] if "</article>" in html else ""


def notice(template: str, *, status: int, **context: object) -> Response:
    """A notice in the place that was to be loaded: what the reader has stays where it is."""
    response = make_response(render_template(template, **context), status)
    response.headers["HX-Reswap"] = "innerHTML"
    return response
