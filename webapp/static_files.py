"""Serve static files at URLs that change with their content; browsers keep them for a year."""

from __future__ import annotations

import gzip
import hashlib
from io import BytesIO
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, Response, abort, current_app, request, send_file

OUTSIDE: Final = "readback.outside"
"""The WSGI variable with the path of the application, on pages that are below a path of a share."""

SHEET: Final = "readback.css"
SHEET_PARTS: Final = (
    "tokens",
    "base",
    "layout",
    "list",
    "overview",
    "transcript",
    "menus",
    "parts",
    "code",
    "calls",
    "structure",
    "media",
    "sources",
    "outputs",
    "runs",
    "checks",
    "search",
    "compare",
    "confidence",
    "folds",
    "shares",
    "actions",
    "conversations",
    "notes",
    "density",
    "access",
    "print",
)
"""The style sheets in `css`, in the order in which they make up `readback.css`."""

SCRIPT: Final = "readback.js"
SCRIPT_PARTS: Final = (
    *("added", "copying", "images", "keys", "loading", "menus"),
    *("pairs", "printing", "reading", "runs", "swapping", "times"),
)
"""The scripts in `js` that make up `readback.js`. Other scripts in `js` are for single pages."""

EXPORT_PARTS: Final = ("tokens", "base", "parts", "code", "structure", "sources", "notes", "export")
"""The style sheets that an exported file has in itself."""

_EXTENSION: Final = "readback.static"
_TEXTS: Final = (".css", ".js", ".svg")

_YEAR: Final = 31_536_000


class StaticFiles:
    """The files below `folder`, each known by its name and a digest of its content.

    The style sheets are read once and served as a single one, to save the browser requests, and so
    are the scripts of all pages. A text is compressed once, when it is first asked for.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        sheets = [folder / "css" / f"{part}.css" for part in SHEET_PARTS]
        scripts = [folder / "js" / f"{part}.js" for part in SCRIPT_PARTS]
        self._joined = {
            SHEET: b"\n".join(sheet.read_bytes() for sheet in sheets),
            # Names of a block are its own.
            SCRIPT: b"\n".join(b"{\n%b}" % script.read_bytes() for script in scripts),
        }
        exported = (folder / "css" / f"{part}.css" for part in EXPORT_PARTS)
        self.export_sheet = "\n".join(sheet.read_text(encoding="utf-8") for sheet in exported)
        self._digests = {name: _digest(content) for name, content in self._joined.items()} | {
            path.relative_to(folder).as_posix(): _digest(path.read_bytes())
            for path in folder.rglob("*")
            if path.is_file() and path.parent != folder / "css" and path not in scripts
        }
        self._compressed: dict[str, bytes] = {}

    def has(self, name: str) -> bool:
        return name in self._digests

    def url(self, name: str) -> str:
        """Build the URL of `name` with its digest. Raises `KeyError` if there is no such file.

        It is below the path of the application, also on the pages of a share.
        """
        root = request.environ.get(OUTSIDE, request.script_root)
        return f"{root}/static/{self._digests[name]}/{name}"

    def serve(self, app: Flask) -> None:
        """Serve the files from `app`."""
        blueprint = Blueprint("static_files", __name__, url_prefix="/static")
        blueprint.add_url_rule("/<digest>/<path:name>", "show", self._serve)
        app.register_blueprint(blueprint)

    def install(self, app: Flask) -> None:
        """Define `static_url` and `has_static` for the templates of `app`, and keep the sheets."""
        app.jinja_env.globals.update(static_url=self.url, has_static=self.has)
        app.extensions[_EXTENSION] = self

    def _serve(self, digest: str, name: str) -> Response:
        if self._digests.get(name) != digest:
            abort(404)
        is_packed = name.endswith(_TEXTS) and request.accept_encodings.quality("gzip") > 0
        content = self._compressed.get(name) if is_packed else self._read(name)
        if content is None:
            content = self._compressed[name] = gzip.compress(self._read(name), mtime=0)
        etag = f"{digest}-gzip" if is_packed else digest
        response = send_file(BytesIO(content), download_name=name, etag=etag, max_age=_YEAR)
        response.vary.add("Accept-Encoding")
        if is_packed:
            response.content_encoding = "gzip"
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.no_cache = None
        return response

    def _read(self, name: str) -> bytes:
        joined = self._joined.get(name)
        return (self._folder / name).read_bytes() if joined is None else joined


def export_sheet() -> str:
    """Return the style sheet of an exported file."""
    found = current_app.extensions[_EXTENSION]
    assert isinstance(found, StaticFiles)
    return found.export_sheet


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
