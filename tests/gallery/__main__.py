"""Serve the gallery on this machine, with the fixtures and templates read anew for each page."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.gallery.app import create_gallery
from webapp.config import Config

with TemporaryDirectory() as folder:
    app = create_gallery(Config(database_url=f"sqlite:///{Path(folder) / 'readback.sqlite3'}"))
    app.config["TEMPLATES_AUTO_RELOAD"] = True
    print("The gallery is at http://127.0.0.1:5001/dev/gallery", flush=True)
    app.run("127.0.0.1", 5001)
