"""Keep copies of a server's completions in the store of this Readback, and show them.

The pages of copies are the viewer's own, in an application that reads from the store: under
`/kept`, every link of theirs stays there. Pages that this application lacks, such as logins, are
those of the application around it.

copying  a completion from a client into a store; `readback pull` uses it too
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, request

from webapp.completions import Completion, scalar_text
from webapp.database import DATABASE_ERRORS
from webapp.embedded import Store
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.store.writing import Outcome
from webapp.exact_json import parse
from webapp.ids import is_valid_id
from webapp.keeping.copying import Copier
from webapp.redaction import get_logger
from webapp.services import CannotKeep, Services
from webapp.snippets import RERUN_OF
from webapp.static_files import OUTSIDE
from webapp.upstream import Deadline, Upstream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = get_logger("readback")

_LONGEST_WAIT: Final = 2.0
"""Seconds between the tries of one request, while a reader waits for the page."""


@dataclass(frozen=True, slots=True)
class Source:
    """The server that copies are made of. `open` returns a client of it, which is closed."""

    open: Callable[[], Upstream]
    input_only: bool
    days: int | None
    seconds: float
    """Within which a copy is made."""


class KeptCopies:
    """The copies in `store`. `create` makes the application of their pages when first needed.

    `services` read the copies.
    """

    def __init__(
        self, store: Store, source: Source, create: Callable[[], Flask], services: Services
    ) -> None:
        self.days = source.days
        self.services = services
        self._store = store
        self._source = source
        self._create = create
        self._lock = Lock()
        self._app: Flask | None = None

    def find(self, completion_id: str) -> int | None:
        """Find when a copy was made, in unix seconds; None if there is none, or no database."""
        try:
            return self._store.find_stored_time(completion_id)
        except DATABASE_ERRORS as error:
            log.warning("copies cannot be looked up: %s", type(error).__name__)
            return None

    def keep(self, completion_id: str) -> None:
        """Copy a completion with all its messages, unless there is a copy.

        Raises `UpstreamError`, `StoreError`, or `CannotKeep` if it is not to be stored as it is.
        """
        with closing(self._source.open()) as upstream:
            copier = Copier(
                upstream,
                self._store,
                input_only=self._source.input_only,
                say=lambda sentence: log.info("%s", sentence),
                clock=upstream.clock,
                longest_wait=_LONGEST_WAIT,
                deadline=Deadline.after(self._source.seconds, clock=upstream.clock),
            )
            try:
                outcome = copier.copy_one(completion_id)
            except NotACompletion as error:
                raise CannotKeep(f"It cannot be kept: {error}.") from error
        if outcome is Outcome.CONFLICT:
            raise CannotKeep(
                "Another completion is kept under this id. `readback pull --keep-both` keeps this "
                "one as well, under another id."
            )

    def get_pages(self) -> WSGIApplication:
        """Create the application of the copies' pages on first use."""
        with self._lock:
            if self._app is None:
                self._app = self._create()
            return self._app.wsgi_app


def surround(app: Flask, around: Flask, store: Store) -> None:
    """Connect `app`, whose pages show the copies in `store`, to the application around it.

    `url_for` finds the pages that only that one has, and a banner says what copies are and leads
    to their originals.
    """

    def outside_url(endpoint: str, *, is_external: bool = False, **values: Any) -> str:
        root = request.environ[OUTSIDE] or "/"
        scheme = request.scheme
        adapter = around.url_map.bind(request.host, script_name=root, url_scheme=scheme)
        return adapter.build(endpoint, values, force_external=is_external)

    def build(error: Exception, endpoint: str, values: dict[str, Any]) -> str:
        anchor = values.pop("_anchor", None)
        is_external = bool(values.pop("_external", False))
        named = {name: value for name, value in values.items() if not name.startswith("_")}
        url = outside_url(endpoint, is_external=is_external, **named)
        return f"{url}#{anchor}" if anchor else url

    app.url_build_error_handlers.append(build)
    app.add_template_global(store.find_stored_time, "find_kept_time")
    app.add_template_global(outside_url, "outside_url")

    def find_first_run(completion_id: str) -> str | None:
        """Find the id of the completion that this one runs again, by its metadata."""
        written = store.retrieve_completion(completion_id)
        metadata = Completion.from_json(parse(written)).metadata if written else ()
        ids = (scalar_text(one.value) for one in metadata if one.name.text == RERUN_OF)
        return next((one for one in ids if one and is_valid_id(one)), None)

    app.add_template_global(find_first_run, "find_first_run")
