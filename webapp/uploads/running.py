"""Import uploads in the background, one after another.

The files have no names and no one else can open them; they are gone with the process, however it
ends. The report is in the database, so that any process can show it.
"""

from __future__ import annotations

import io
import itertools
import re
import secrets
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import BoundedSemaphore, Lock, Thread
from typing import BinaryIO, Final, cast

from sqlalchemy import text

from webapp.database import DATABASE_ERRORS, DatabaseOpener
from webapp.embedded import ImportReport, OpenFile, Problem, Store, import_files
from webapp.embedded.transfer.pieces import FORMATS, ImportFormat
from webapp.embedded.transfer.splitting import SourceLine
from webapp.formatting import count
from webapp.redaction import get_logger
from webapp.services import TooManyUploads
from webapp.uploads.reports import STALE_SECONDS, Upload, UploadedFile

log = get_logger("readback")

_MAX_WAITING: Final = 4
_MAX_EXPANSION: Final = 20
"""How many times the largest upload its compressed data may expand to."""
_MAX_FRUITLESS: Final = 100_000
"""Fewer than of files on this machine: a compressed upload of 6 kB can hold a million of them."""
_KEPT_SECONDS: Final = 30 * 86400
_LONGEST_NAME: Final = 120
_LONGEST_REASON: Final = 500
_HEARTBEAT: Final = STALE_SECONDS / 10
_BETWEEN_UPDATES: Final = 0.5
_BEYOND_NAMES: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")

_ADD: Final = text(
    "INSERT INTO uploads (id, begun, updated, report) VALUES (:id, :begun, :updated, :report)"
)
_UPDATE: Final = text("UPDATE uploads SET updated = :updated, report = :report WHERE id = :id")
_FIND: Final = text("SELECT begun, updated, report FROM uploads WHERE id = :id")
_END_OLD: Final = text("DELETE FROM uploads WHERE begun < :time")


class Uploads:
    """Imports uploads of up to `max_bytes` each into `store`. `now` returns unix seconds."""

    def __init__(
        self,
        store: Store,
        database: DatabaseOpener,
        *,
        max_bytes: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.max_bytes: Final = max_bytes
        self.formats: Final = FORMATS
        self._store = store
        self._database = database
        self._now = now
        self._turn = Lock()
        self._places = BoundedSemaphore(_MAX_WAITING)

    def open_file(self) -> BinaryIO:
        """Open a new file for one that is being sent, which only this process can read."""
        return cast(BinaryIO, tempfile.TemporaryFile(prefix="readback-"))

    def begin(self, files: Sequence[tuple[str, BinaryIO]], *, keeps_both: bool) -> str:
        """Import files, each with the name that it was sent under; return the id of the upload.

        The files are closed in the end. Raises `TooManyUploads`, `StoreError` or an error of the
        database.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyUploads("Other files are being imported. Try again when they are.")
        try:
            now = int(self._now())
            names = _clean_names(name for name, _ in files)
            opened = [file for _, file in files]
            upload = Upload(
                id=secrets.token_hex(8),
                begun=now,
                updated=now,
                state="waiting",
                files=tuple(
                    UploadedFile(name=name, size=file.seek(0, io.SEEK_END))
                    for name, file in zip(names, opened, strict=True)
                ),
                keeps_both=keeps_both,
            )
            with self._database.get().exclusive.begin() as connection:
                connection.execute(_END_OLD, {"time": now - _KEPT_SECONDS})
                values = {"id": upload.id, "begun": now, "updated": now}
                connection.execute(_ADD, values | {"report": upload.to_json()})
            Thread(target=self._run, args=(upload, opened), name="upload", daemon=True).start()
        except BaseException:
            self._places.release()
            raise
        return upload.id

    def find(self, upload_id: str) -> Upload | None:
        """Find an upload, as far as it has come, for thirty days."""
        with self._database.get().reader.connect() as connection:
            row = connection.execute(_FIND, {"id": upload_id}).one_or_none()
        if row is None:
            return None
        return Upload.from_json(row.report, id=upload_id, begun=row.begun, updated=row.updated)

    def _run(self, upload: Upload, files: list[BinaryIO]) -> None:
        try:
            while not self._turn.acquire(timeout=_HEARTBEAT):
                self._save(upload)
            try:
                self._import(upload, files)
            finally:
                self._turn.release()
        finally:
            self._places.release()
            for file in files:
                file.close()

    def _import(self, upload: Upload, files: list[BinaryIO]) -> None:
        """Import the files, and save the state of it every now and then, and the report."""
        report = ImportReport()
        latest = replace(upload, state="reading")
        saved_at = time.monotonic()
        self._save(latest)

        def save_progress(done: int, _total: int, _completions: int) -> None:
            nonlocal latest, saved_at
            latest = replace(_count(latest, report), done=done)
            if time.monotonic() - saved_at > _BETWEEN_UPDATES:
                saved_at = time.monotonic()
                self._save(latest)

        sources = []
        for one, file in zip(upload.files, files, strict=True):
            file.seek(0)
            sources.append(OpenFile(one.name, file, max_expanded=_MAX_EXPANSION * self.max_bytes))
            if not one.size:
                report.bad += 1
                report.problems.append(Problem(SourceLine(Path(one.name), None), "it is empty"))
        failure = None
        try:
            import_files(
                self._store,
                sources,
                progress=save_progress,
                report=report,
                keeps_both=upload.keeps_both,
                max_fruitless=_MAX_FRUITLESS,
            )
        except DATABASE_ERRORS as error:
            log.error("an upload could not be stored: %s", type(error).__name__)
            failure = "The database did not take all of it."
        except Exception:
            log.exception("an upload could not be imported")
            failure = "Readback failed at this; the log of the server has the details."
        self._save(_finish(latest, report, failure))

    def _save(self, upload: Upload) -> None:
        values = {"id": upload.id, "updated": int(self._now()), "report": upload.to_json()}
        try:
            with self._database.get().exclusive.begin() as connection:
                connection.execute(_UPDATE, values)
        except DATABASE_ERRORS as error:
            # The next time may succeed; without a last one, the page says that it ended early.
            log.error("the state of an upload could not be stored: %s", type(error).__name__)


def _count(upload: Upload, report: ImportReport) -> Upload:
    return replace(
        upload,
        added=report.added,
        unchanged=report.unchanged,
        conflicts=report.conflicts,
        bad=report.bad,
        without_messages=report.without_messages,
    )


def _finish(upload: Upload, report: ImportReport, failure: str | None) -> Upload:
    """Finish an upload with all of its report."""
    counted: dict[str, Counter[ImportFormat]] = defaultdict(Counter)
    for path, forms in report.formats.items():
        # The files in an archive have its name before their own.
        counted[path.parts[0]] += forms
    found = {
        name: ", ".join(count(number, *form.value) for form, number in forms.items())
        for name, forms in counted.items()
    }
    files = (replace(one, found=found.get(one.name, "")) for one in upload.files)
    return replace(
        _count(upload, report),
        state="failed" if failure else "done",
        done=upload.done if failure else upload.total,
        files=tuple(files),
        problems=_describe(report.problems),
        renamed=_describe(report.renamed),
        ids=tuple(report.added_ids),
        failure=failure,
    )


def _describe(problems: Iterable[Problem]) -> tuple[tuple[str, str], ...]:
    return tuple((str(one.source), _shorten(one.reason, _LONGEST_REASON)) for one in problems)


def _clean_names(names: Iterable[str]) -> list[str]:
    """Clean names of folders and control characters, shorten them, and make each unique."""
    cleaned: list[str] = []
    for name in names:
        base = re.split(r"[/\\]", _BEYOND_NAMES.sub(" ", name).strip())[-1].strip()
        base = _shorten(base, _LONGEST_NAME)
        # These would name a folder, or standard input.
        base = "file" if base in ("", ".", "..", "-") else base
        further = (f"{base} ({number})" for number in itertools.count(2))
        cleaned.append(next(one for one in itertools.chain([base], further) if one not in cleaned))
    return cleaned


def _shorten(words: str, longest: int) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
