"""Serve static files at URLs that change with their content; browsers keep them for a year."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, Response, abort, send_from_directory, url_for

_YEAR: Final = 31_536_000


class StaticFiles:
    """The files below `folder`, each known by its name and a digest of its content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests = {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for path in folder.rglob("*")
            if path.is_file()
        }

    def has(self, name: str) -> bool:
        return name in self._digests

    def url(self, name: str) -> str:
        """Return the URL of `name` with its digest. Raises `KeyError` if there is no such file."""
        return url_for("static_files.show", digest=self._digests[name], name=name)

    def install(self, app: Flask) -> None:
        """Serve the files, and define `static_url` and `has_static` for templates."""
        blueprint = Blueprint("static_files", __name__, url_prefix="/static")
        blueprint.add_url_rule("/<digest>/<path:name>", "show", self._serve)
        app.register_blueprint(blueprint)
        app.jinja_env.globals.update(static_url=self.url, has_static=self.has)

    def _serve(self, digest: str, name: str) -> Response:
        if self._digests.get(name) != digest:
            abort(404)
        response = send_from_directory(self._folder, name, max_age=_YEAR)
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.no_cache = None
        return response
