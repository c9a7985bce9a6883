"""Answer with a page or a fragment; the only module that decides by the headers of htmx.

A URL answers with a whole page, or with the part that is swapped in if htmx asks. The fragment
is a separate template, which the page includes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from flask import Response, make_response, render_template, request
from htmx_flask.requests import HtmxHeaders

from webapp.formatting import replace_surrogates
from webapp.redaction import get_logger

log = get_logger("readback")

PIECE_CHARACTERS = 16_384
VARY = ("HX-Request", "HX-History-Restore-Request")


def wants_fragment() -> bool:
    """Return whether the answer will be swapped into a page that is already there."""
    htmx = cast(HtmxHeaders, request.htmx)  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page_or_fragment(page: str, fragment: str, **context: object) -> Response:
    """Render `page`, or only its `fragment` if htmx asks."""
    return make_response(render_template(fragment if wants_fragment() else page, **context))


def join_pieces(parts: Iterable[str], *, broken_off: str) -> Iterator[str]:
    """Yield the parts of a streamed page joined to pieces, one ending with each section.

    A template yields a part for every variable; sent one by one, parts would cost more than
    their rendering. If rendering fails, `broken_off` is the last piece: the status has been sent
    by then, and a page that merely ended would look whole.
    """
    waiting: list[str] = []
    size = 0
    try:
        for part in parts:
            waiting.append(part)
            size += len(part)
            if size > PIECE_CHARACTERS or "</section>" in part:
                yield replace_surrogates("".join(waiting))
                waiting, size = [], 0
    except Exception:
        log.exception("a streamed page broke off")
        # Beyond the last whole bubble, the rest may end inside a tag.
        bubbles, end, _ = "".join(waiting).rpartition("</article>")
        waiting = [bubbles, end, broken_off]
    yield replace_surrogates("".join(waiting))


def render_notice(template: str, *, status: int, **context: object) -> Response:
    """Render a notice in the place that was to be loaded; the reader keeps the rest of the page."""
    response = make_response(render_template(template, **context), status)
    response.headers["HX-Reswap"] = "innerHTML"
    return response
