"""Whether this process answers; asks nobody else."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def show() -> ResponseReturnValue:
    """`ok`, without a call upstream: a server that is down is no reason to restart us."""
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
