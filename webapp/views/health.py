"""Whether this process answers, and whether it can show pages; for load balancers and monitors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

READINESS: Final = "readback_readiness"
"""The extension that returns why no pages can be shown now, or None."""

_HEADERS: Final = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def show() -> ResponseReturnValue:
    """`ok`, without a call upstream: a server that is down is no reason to restart us."""
    return "ok\n", _HEADERS


@bp.get("/readyz")
def show_readiness() -> ResponseReturnValue:
    """`ready`, or 503 and the reason; says nothing of settings, addresses or completions."""
    find_problem: Callable[[], str | None] = current_app.extensions[READINESS]
    problem = find_problem()
    return (f"not ready: {problem}\n", 503, _HEADERS) if problem else ("ready\n", _HEADERS)
