"""Find the services that the views of the application share."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from webapp.media import MediaCache
from webapp.reading import TranscriptLoader
from webapp.reading.previews import Previews
from webapp.reading.whole import WholeReader
from webapp.rendering import Budgets
from webapp.upstream import Deadline, Upstream


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the views share; one a process, made by `create_app`."""

    upstream: Upstream
    loader: TranscriptLoader
    runs: WholeReader
    previews: Previews
    media_cache: MediaCache
    page_timeout: float
    max_pages: int
    budgets: Budgets


def services() -> Services:
    """Return the services of the current application."""
    found = current_app.extensions["readback"]
    assert isinstance(found, Services)
    return found


def deadline() -> Deadline:
    """Return the deadline of this page, by the clock of the upstream client."""
    found = services()
    return Deadline.after(found.page_timeout, clock=found.upstream.clock)
