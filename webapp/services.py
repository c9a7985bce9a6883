"""Find the services that the views of the application share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Response
from flask.globals import request_ctx

from webapp.conversations import ConversationSource
from webapp.finding import Finder
from webapp.finding.results import OverviewSource
from webapp.media import MediaCache
from webapp.notes import Notes
from webapp.pins import Pins
from webapp.reading import TranscriptLoader
from webapp.reading.previews import Previews
from webapp.reading.whole import WholeReader
from webapp.rendering import Budgets
from webapp.saved import SavedFilters
from webapp.shares import Policy, RecentSnapshots, Share, ShareStore
from webapp.snippets import Server
from webapp.upstream import Deadline, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO, Protocol

    from _typeshed.wsgi import WSGIApplication

    from webapp.uploads.reports import Upload

    class SnapshotApp(Protocol):
        """Answers with the pages of a snapshot."""

        def answer(
            self, share: Share, read: Callable[[], str | None], *, mount: str, path: str
        ) -> Response | None: ...

    class Copies(Protocol):
        """The copies kept of the server's completions; see `webapp.keeping`."""

        days: int | None
        services: Services

        def find(self, completion_id: str) -> int | None: ...

        def keep(self, completion_id: str) -> None: ...

        def get_pages(self) -> WSGIApplication: ...

    class Uploads(Protocol):
        """Imports the files that readers send; see `webapp.uploads`."""

        @property
        def max_bytes(self) -> int: ...

        @property
        def formats(self) -> str: ...

        def open_file(self) -> BinaryIO: ...

        def begin(self, files: Sequence[tuple[str, BinaryIO]], *, keeps_both: bool) -> str: ...

        def find(self, upload_id: str) -> Upload | None: ...


SERVICES: Final = "readback.services"
"""The WSGI variable with the services of a shared snapshot, in place of the application's."""


class CannotKeep(Exception):
    """No copy of a completion can be stored; the message is for the reader."""


class TooManyUploads(Exception):
    """Other uploads are waiting to be imported; the message is for the reader."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The shares, their policy, and the application that shows them."""

    store: ShareStore
    policy: Policy
    pages: SnapshotApp
    recent: RecentSnapshots

    def find_open(self, token: str, ticket: str = "") -> Share | None:
        """Find the share that a link opens; None if it ended, or if there are none at all."""
        return self.store.find_open(token, ticket) if self.policy.allows else None


@dataclass(frozen=True, slots=True)
class RerunServers:
    """The servers that are asked for a completion's messages and for another run.

    `reads` and `creates` are those of snippets; `model` creates completions and stores them, within
    `timeout` seconds, or is None. With `leaves_defaults` a rebuilt request is without settings
    that the server fills in.
    """

    reads: Server
    creates: Server
    leaves_defaults: bool
    timeout: float
    model: Upstream | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the views share; one a process, made by `create_app`, and one a snapshot.

    Those of a snapshot have its `share`, and no `sharing` and no `pins`. If the pages read from
    another server, `conversations`, `finder`, `overview` and `uploads` are None, and there are
    `copies`.
    """

    upstream: Upstream
    loader: TranscriptLoader
    runs: WholeReader
    previews: Previews
    media_cache: MediaCache
    page_timeout: float
    max_pages: int
    budgets: Budgets
    again: RerunServers
    sharing: Sharing | None = None
    share: Share | None = None
    conversations: ConversationSource | None = None
    finder: Finder | None = None
    overview: OverviewSource | None = None
    copies: Copies | None = None
    uploads: Uploads | None = None
    pins: Pins | None = None
    notes: Notes | None = None
    saved: SavedFilters | None = None
    allows_writes: bool = False

    def forget(self, completion_id: str) -> None:
        """Delete the cached data of a completion that was deleted."""
        self.media_cache.forget(completion_id)
        self.loader.forget(completion_id)


def services() -> Services:
    """Return the services of the current request: of the application, or of a snapshot."""
    # Looked up in one step: a page of messages asks for them a hundred times.
    context = request_ctx._get_current_object()  # type: ignore[attr-defined]
    found = context.request.environ.get(SERVICES) or context.app.extensions["readback"]
    assert isinstance(found, Services)
    return found


def current_sharing() -> Sharing:
    """Return the shares of the application; pages of a snapshot have none."""
    sharing = services().sharing
    assert sharing is not None
    return sharing


def current_pins() -> Pins:
    """Return the pins of the application; pages of a snapshot have none."""
    pins = services().pins
    assert pins is not None
    return pins


def start_deadline() -> Deadline:
    """Return the deadline of this page, by the clock of the upstream client."""
    found = services()
    return Deadline.after(found.page_timeout, clock=found.upstream.clock)
