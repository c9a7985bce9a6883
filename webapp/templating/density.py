"""How much of a transcript is shown: the view that the reader chose, and the one for its length."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from flask import Response, abort, after_this_request, request

from webapp.reading import TranscriptPage

View: TypeAlias = Literal["outline", "compact", "full"]

VIEWS: Final[tuple[View, ...]] = ("outline", "compact", "full")
"""The views, the shortest first."""

COMPACT_FROM: Final = 40
"""Messages from which a transcript is compact if the reader chose nothing."""

_COOKIE: Final = "readback_view"
_YEAR: Final = 31_536_000


def choose_view(section: TranscriptPage) -> View:
    """Return the view that the request asks for, or was chosen before, or suits the length.

    `view` is remembered in a cookie; `like` is the view of the page that this one continues.
    Answers 400 if `view` is no view.
    """
    chosen = _parse(request.args.get("view"))
    if chosen:
        after_this_request(lambda response: _remember(response, chosen))
        return chosen
    if request.args.get("view"):
        abort(400, "The parameter view takes outline, compact or full.")
    known = _parse(request.args.get("like")) or _parse(request.cookies.get(_COOKIE))
    return known or ("compact" if _count_known(section) >= COMPACT_FROM else "full")


def keep_view(view: View, section: TranscriptPage) -> View | None:
    """Return `like` for links to further pages; None if they find the view themselves."""
    is_known = section.total is not None
    return None if is_known and not {"view", "like"} & request.args.keys() else view


def _parse(text: str | None) -> View | None:
    return text if text in VIEWS else None


def _remember(response: Response, view: View) -> Response:
    response.vary.add("Cookie")
    response.set_cookie(
        _COOKIE,
        view,
        max_age=_YEAR,
        path=request.script_root or "/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def _count_known(section: TranscriptPage) -> int:
    """Return how many messages the transcript has at least."""
    numbers = (entry.number or 0 for entry in section.entries)
    return max(section.total or 0, section.seen or 0, len(section.entries), *numbers, 0)
