"""Import files that the browser sends: the form, and the page of the result."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from webapp.access import Event, record_event
from webapp.formatting import size
from webapp.fragments import render_page_or_fragment
from webapp.services import TooManyUploads, current_pins, services
from webapp.templating.listing import Listing
from webapp.views import read_rows, read_whole_number
from webapp.views.actions import changers_only

if TYPE_CHECKING:
    from webapp.services import Uploads

bp = Blueprint("importing", __name__, url_prefix="/import")

MAX_FILES: Final = 100
ROWS: Final = 20
"""Completions that came in on one page."""
_FORM_AROUND: Final = 1024 * 1024
"""The most bytes of a request beside its files."""


@bp.get("")
@changers_only
def choose() -> ResponseReturnValue:
    """Show the form to choose files."""
    return _render_form(find_uploads())


@bp.post("")
@changers_only
def send() -> ResponseReturnValue:
    """Take files and begin to import them; redirect to the page of the result.

    They are written to disk as they are read, and never whole in memory.
    """
    uploads = find_uploads()
    request.max_content_length = uploads.max_bytes + _FORM_AROUND
    opened: list[BinaryIO] = []
    try:
        fields, sent = _parse_form(uploads, opened)
        if not request.mimetype.startswith("multipart/"):
            problem = "A form with files is sent as multipart/form-data."
            return _render_form(uploads, problem), 400
        if not sent:
            return _render_form(uploads, "Choose one file or several first."), 400
        upload = uploads.begin(
            [(one.filename or "", cast(BinaryIO, one.stream)) for one in sent],
            keeps_both=fields.get("keep_both") == "1",
        )
        opened = [one for one in opened if all(one is not kept.stream for kept in sent)]
        record_event(Event.IMPORT, files=len(sent))
        return redirect(url_for("importing.show", upload_id=upload), 303)
    except RequestEntityTooLarge:
        problem = f"That is more than {size(uploads.max_bytes)}, or than {MAX_FILES} files."
        return _render_form(uploads, problem), 413
    except ValueError:
        return _render_form(uploads, "The form did not arrive whole. Send it again."), 400
    except TooManyUploads as error:
        return _render_form(uploads, str(error)), 503
    finally:
        for file in opened:
            # A full disk does not take what is left to write either.
            with suppress(OSError):
                file.close()


@bp.get("/<upload_id>")
@changers_only
def show(upload_id: str) -> ResponseReturnValue:
    """Show how far an import has come, or its report and the completions that came in.

    `from` is the number of the first of them on the page.
    """
    uploads = find_uploads()
    upload = uploads.find(upload_id)
    if upload is None:
        abort(404, "There is no report of this import; it is kept for thirty days.")
    start = read_whole_number("from", default=1, low=1, high=10**6)
    rows, _ = read_rows(upload.ids[start - 1 : start - 1 + ROWS])
    return render_page_or_fragment(
        "actions/imported.html",
        "actions/_import_state.html",
        upload=upload,
        is_stale=upload.is_stale(services().upstream.clock.wall()),
        listing=Listing(rows, pins=frozenset(current_pins().list())),
        start=start,
        next_start=start + ROWS if start + ROWS <= len(upload.ids) else None,
    )


def find_uploads() -> Uploads:
    """Find the uploads of this Readback. Abort with 404 if its pages read from elsewhere."""
    uploads = services().uploads
    if uploads is None:
        abort(404, "The pages read from another server, which takes no files.")
    return uploads


def _parse_form(
    uploads: Uploads, opened: list[BinaryIO]
) -> tuple[MultiDict[str, str], list[FileStorage]]:
    """Parse the fields and the files of the request, and add each file that is written to `opened`.

    Raise `RequestEntityTooLarge`, or `ValueError` if the form is cut off.
    """

    def open_file(*_: object, **__: object) -> BinaryIO:
        opened.append(uploads.open_file())
        return opened[-1]

    parser = FormDataParser(
        stream_factory=open_file,
        max_form_memory_size=_FORM_AROUND,
        max_form_parts=MAX_FILES + 10,
        silent=False,
    )
    _, fields, files = parser.parse(
        request.stream, request.mimetype, request.content_length, request.mimetype_params
    )
    return fields, [one for one in files.getlist("files") if one.filename]


def _render_form(uploads: Uploads, problem: str | None = None) -> str:
    return render_template(
        "actions/import.html", max_bytes=uploads.max_bytes, formats=uploads.formats, problem=problem
    )
