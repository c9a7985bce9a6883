"""Serve the gallery on this machine, with templates and fixtures read anew for each page."""

from __future__ import annotations

from tests.gallery.app import create_gallery
from webapp.config import Config

app = create_gallery(Config(database_url="sqlite://"))
app.config["TEMPLATES_AUTO_RELOAD"] = True
print("The gallery is at http://127.0.0.1:5001/dev/gallery")
app.run("127.0.0.1", 5001)
