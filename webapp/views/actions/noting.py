"""Write notes on messages, ranges of them and answers; edit and delete one's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import Reader, current_reader
from webapp.formatting import count, first_words, parse_whole_number, replace_surrogates
from webapp.notes import MAX_CHARACTERS, MAX_NOTES, Note, Notes
from webapp.reading import TranscriptPage, TranscriptRequest
from webapp.reading.pasted import TranscriptPlace
from webapp.services import services, start_deadline
from webapp.templating.addresses import place_url, range_url
from webapp.templating.notes import may_change_note, may_note
from webapp.views.completions import find_place_url

bp = Blueprint("noting", __name__, url_prefix="/completions/<completion_id>/notes")

P = ParamSpec("P")
T = TypeVar("T")

_SHOWN_WORDS: Final = 100


class _BadNote(ValueError):
    """The message says what is wrong with a form."""


def noters_only(view: Callable[P, T]) -> Callable[P, T]:
    """Restrict `view` to readers with an identity; others get a 403."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        current_reader()
        if not may_note():
            abort(403, "Notes have an author, so only readers who are logged in write them.")
        return view(*args, **kwargs)

    return checked


@bp.get("")
@noters_only
def index(completion_id: str) -> ResponseReturnValue:
    """Show all notes on a transcript, and a form for a new one, on the places of the query."""
    return _render(completion_id, _load(completion_id))


@bp.post("")
@noters_only
def add(completion_id: str) -> ResponseReturnValue:
    """Add a note, and redirect to its place in the transcript."""
    page = _load(completion_id)
    reader = current_reader()
    try:
        note = _read_note(page, reader)
    except _BadNote as problem:
        return _render(completion_id, page, str(problem)), 400
    added = _store().add(completion_id, note)
    if added is None:
        abort(409, f"A completion has up to {MAX_NOTES} notes. Delete one first.")
    return redirect(_find_url(completion_id, added), 303)


@bp.get("/<note_id>")
@noters_only
def edit(completion_id: str, note_id: str) -> ResponseReturnValue:
    """Show a note in a form."""
    note = _find_own(completion_id, note_id)
    return _render_form(completion_id, note, note.text)


@bp.post("/<note_id>")
@noters_only
def update(completion_id: str, note_id: str) -> ResponseReturnValue:
    """Replace the text of a note."""
    note = _find_own(completion_id, note_id)
    try:
        text = _read_text()
    except _BadNote as problem:
        return _render_form(completion_id, note, request.form.get("text", ""), str(problem)), 400
    _store().edit(completion_id, note_id, text)
    return redirect(_find_url(completion_id, note), 303)


@bp.post("/<note_id>/delete")
@noters_only
def delete(completion_id: str, note_id: str) -> ResponseReturnValue:
    """Delete a note."""
    note = _find_own(completion_id, note_id)
    _store().remove(completion_id, note.id)
    return redirect(url_for("noting.index", completion_id=completion_id), 303)


def _store() -> Notes:
    found = services().notes
    assert found is not None
    return found


def _load(completion_id: str) -> TranscriptPage:
    page = services().loader.load_page(completion_id, TranscriptRequest(), start_deadline())
    if page.messages_error:
        raise page.messages_error
    return page


def _find_own(completion_id: str, note_id: str) -> Note:
    """Find a note that the reader may change. Abort with 404 or 403 otherwise."""
    note = _store().find(completion_id, note_id)
    if note is None:
        abort(404, "There is no such note any more.")
    if not may_change_note(note):
        abort(403, "Only its author and administrators may change a note.")
    return note


def _find_url(completion_id: str, note: Note) -> str:
    """Find the address of the place of a note."""
    if note.first is not None:
        return find_place_url(completion_id, TranscriptPlace("message", note.first))
    return place_url(completion_id, None, "notes" if note.choice is None else "answer")


def _render(completion_id: str, page: TranscriptPage, problem: str | None = None) -> str:
    asked = request.form if request.method == "POST" else request.args
    names = ("from", "to", "choice", "text")
    return render_template(
        "notes/index.html",
        completion_id=completion_id,
        question=first_words(page.question, _SHOWN_WORDS),
        notes=_store().list(completion_id),
        choices=len(page.completion.choices) if page.completion else 0,
        given={name: replace_surrogates(asked.get(name, "")) for name in names},
        problem=problem,
        note_url=_note_url,
        most=MAX_CHARACTERS,
    )


def _note_url(completion_id: str, note: Note) -> str:
    """Build the address of the place of a note, without asking for the transcript."""
    if note.first is not None:
        return range_url(completion_id, note.first, note.last or note.first)
    return place_url(completion_id, None, "notes" if note.choice is None else "answer")


def _render_form(completion_id: str, note: Note, text: str, problem: str | None = None) -> str:
    return render_template(
        "notes/edit.html",
        completion_id=completion_id,
        note=note,
        text=replace_surrogates(text),
        problem=problem,
        most=MAX_CHARACTERS,
    )


def _read_note(page: TranscriptPage, reader: Reader) -> Note:
    """Read the note of the form. Raises `_BadNote`."""
    first, last, choice = (_read_number(name) for name in ("from", "to", "choice"))
    choices = len(page.completion.choices) if page.completion else 0
    if choice is not None:
        if first is not None or last is not None:
            raise _BadNote("A note is on messages or on an answer.")
        if choice > choices:
            raise _BadNote(f"There is no answer {choice:,}.")
    elif last is not None and (first is None or last < first):
        raise _BadNote("The last message of a range comes after its first.")
    elif page.total is not None and (last or first or 0) > page.total:
        raise _BadNote(f"The transcript has {count(page.total, 'message')}.")
    return Note(
        id="",
        author=reader.identity,
        name=reader.name,
        created=0,
        text=_read_text(),
        first=first,
        last=last or first,
        choice=choice,
    )


def _read_number(name: str) -> int | None:
    raw = request.form.get(name, "").strip()
    if not raw:
        return None
    number = parse_whole_number(raw, low=1)
    if number is None:
        raise _BadNote("Messages are whole numbers from 1 on.")
    return number


def _read_text() -> str:
    """Read the text of the form with plain line ends."""
    written = replace_surrogates(request.form.get("text", ""))
    text = written.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").strip()
    if not text:
        raise _BadNote("The note is empty.")
    if len(text) > MAX_CHARACTERS:
        raise _BadNote(f"A note has up to {MAX_CHARACTERS:,} characters; this has {len(text):,}.")
    return text
