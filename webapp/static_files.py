"""Serve static files at URLs that change with their content; browsers keep them for a year."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, Response, abort, current_app, request, send_file

OUTSIDE: Final = "readback.outside"
"""The WSGI variable with the path of the application, on pages that are below a path of a share."""

_EVERYWHERE: Final = ("tokens", "base", "layout", "print")

SHEETS: Final = {
    "readback.css": _EVERYWHERE,
    "transcript.css": (
        *_EVERYWHERE,
        *("transcript", "menus", "parts", "code", "calls", "structure", "media", "sources"),
        *("outputs", "runs", "folds", "conversations", "notes", "density"),
    ),
    "pages.css": (
        *("list", "overview", "checks", "search", "compare", "confidence", "shares", "actions"),
        "access",
    ),
}
"""The style sheets that pages load, each with the sheets in `css` that make it up, in their order.

Transcripts have `transcript.css` alone, which spares their first view a request. Pages with parts
of a transcript have `pages.css` besides, all others `readback.css` and `pages.css`.
"""

SCRIPTS: Final = {
    "readback.js": ("starting", "times"),
    "acting.js": (
        *("copying", "images", "keys", "menus", "pairs", "printing", "reading", "runs"),
        "swapping",
    ),
    "swapped.js": ("added", "loading", "windowing"),
}
"""The scripts that pages load, each with the scripts in `js` that make it up.

Every page has `readback.js`, which loads `acting.js` when the reader does something, and that
`swapped.js` together with htmx. Other scripts in `js` are for single pages.
"""

EXPORT_PARTS: Final = ("tokens", "base", "parts", "code", "structure", "sources", "notes", "export")
"""The style sheets that an exported file has in itself."""

_EXTENSION: Final = "readback.static"
_TEXTS: Final = (".css", ".js", ".svg")
_SHEET_SPACES: Final = re.compile(r'("[^"]*")|;?\s*(})\s*|\s*([{;,>])\s*|(:)\s+|\s+')
_SHEET_COMMENTS: Final = re.compile(r"/\*.*?\*/", re.DOTALL)

# Browsers compile a function in parentheses at once, others twice. What came in one piece is there
# right after its body, before the browser draws it and has the time for "DOMContentLoaded": what
# the scripts change is then drawn once. `#status` is the last element of each page.
_STARTED: Final = b"""((start) => {
if (document.readyState !== "loading") return start();
const body = new MutationObserver(() => document.getElementById("status") && begin());
body.observe(document.documentElement, { childList: true });
document.addEventListener("DOMContentLoaded", begin);
function begin() {
body.disconnect();
document.removeEventListener("DOMContentLoaded", begin);
start();
}
})((() => {
"use strict";
%b}));
"""

_YEAR: Final = 31_536_000


class StaticFiles:
    """The files below `folder`, each known by its name and a digest of its content.

    Sheets and scripts are read once, shortened, and joined to a few files, to save the browser
    bytes and requests. A text is compressed once, when it is first asked for.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        css, js = folder / "css", folder / "js"
        self._joined = {
            name: b"".join(shorten_sheet(_read_text(css / f"{part}.css")) for part in parts)
            for name, parts in SHEETS.items()
        } | {
            name: join_scripts([_read_text(js / f"{part}.js") for part in parts])
            for name, parts in SCRIPTS.items()
        }
        joined = {js / f"{part}.js" for parts in SCRIPTS.values() for part in parts}
        self.export_sheet = "\n".join(_read_text(css / f"{part}.css") for part in EXPORT_PARTS)
        self._digests = {name: _digest(content) for name, content in self._joined.items()} | {
            path.relative_to(folder).as_posix(): _digest(path.read_bytes())
            for path in folder.rglob("*")
            if path.is_file() and path.parent != css and path not in joined
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


def shorten_sheet(text: str) -> bytes:
    """Leave out comments, and white space that means nothing, of a style sheet."""
    text = _SHEET_COMMENTS.sub("", text)
    return _SHEET_SPACES.sub(
        lambda found: found[found.lastindex] if found.lastindex else " ", text
    ).encode()


def shorten_script(text: str) -> bytes:
    """Leave out comments with lines of their own, and indentation, of a script.

    No text in it may go over several lines.
    """
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//")).encode()


def join_scripts(texts: Iterable[str]) -> bytes:
    """Join scripts to one that runs as soon as the page is parsed.

    In it each script has its names for itself, also its functions.
    """
    return _STARTED % b"".join(b"{\n%b}\n" % shorten_script(text) for text in texts)


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
