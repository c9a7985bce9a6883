"""Take the pictures of the documentation: `python -m tools.screenshots`, or `make screenshots`.

Each page is taken in light and dark colours, of the samples in a store of its own, as WebP.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
import threading
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tools.paths import ROOT
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, load_samples

FOLDER: Final = ROOT / "docs" / "images"
SCHEMES: Final = ("light", "dark")
_QUALITY: Final = 82


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Write no line for each request."""


@dataclass(frozen=True)
class Picture:
    """A page at `path`, scrolled down; sizes are in pixels."""

    name: str
    path: str
    width: int = 1200
    height: int = 760
    scrolled: int = 0


def _find_id(sample: str) -> str:
    text = (ROOT / "webapp" / "embedded" / "samples" / f"{sample}.json").read_text(encoding="utf-8")
    return str(json.loads(text)["id"])


PICTURES: Final = (
    Picture("list", "/completions"),
    Picture(
        "transcript", f"/completions/{_find_id('01-trip-to-bergen')}", height=960, scrolled=476
    ),
    Picture("run", f"/completions/{_find_id('03-coding-agent')}"),
    Picture("checks", f"/completions/{_find_id('25-lost-results')}/checks", height=560),
    Picture("share", f"/completions/{_find_id('03-coding-agent')}/share", height=760),
)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as tools:
        os.environ |= {"XDG_DATA_HOME": folder, "XDG_CACHE_HOME": folder}
        url = f"sqlite:///{folder}/readback.sqlite3"
        store = Store(url)
        load_samples(store)
        store.close()
        app = create_app(Config(database_url=url))
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = tools.chromium.launch(executable_path=os.environ.get("READBACK_CHROMIUM"))
        for picture in PICTURES:
            address = f"http://127.0.0.1:{server.server_port}{picture.path}"
            for scheme in SCHEMES:
                take(browser, picture, address, scheme)
        browser.close()
        server.shutdown()


def take(browser: Browser, picture: Picture, address: str, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    page.evaluate("pixels => scrollTo(0, pixels)", picture.scrolled)
    (FOLDER / f"{picture.name}-{scheme}.webp").write_bytes(capture(page))
    context.close()


def capture(page: Page) -> bytes:
    """Return what is in view, as WebP, which Playwright does not offer itself."""
    session = page.context.new_cdp_session(page)
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    return base64.b64decode(answer["data"])


if __name__ == "__main__":
    main()
