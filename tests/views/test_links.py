"""Every page is linked from another one."""

from __future__ import annotations

import inspect
import re
from typing import Final

from flask import Flask

from tools.paths import ROOT

NOT_LINKED: Final = {
    "health.show": "asked by whoever watches the server",
    "health.show_readiness": "asked by whoever watches the server",
    "importing.show": "follows an upload of files",
    "links.show": "the link of a share, which its maker sends",
    "listing.home": "leads to the list",
    "login.finish_openid": "where a provider of logins sends the reader back to",
    "login.logged_out": "follows a logout",
    "managing.show_check": "follows the button that checks a share",
    "sources.raw": "an address of earlier versions",
    "static_files.show": "linked by `StaticFiles.url`",
}


def test_every_page_is_linked_or_named_here_with_the_reason(app: Flask) -> None:
    templates = ROOT / "templates"
    files = [*templates.rglob("*.html"), *(ROOT / "webapp/templating").rglob("*.py")]
    texts = {str(file): file.read_text(encoding="utf-8") for file in files}
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    unlinked = set()
    for page in pages:
        source = inspect.getsource(inspect.unwrap(app.view_functions[page]))
        own = {str(templates / name) for name in re.findall(r'"([\w/]+\.html)"', source)}
        # The pages of an answer are linked by the code that links those of a message.
        name = f'"{page.removesuffix("_of_choice")}"'
        if not any(name in text for file, text in texts.items() if file not in own):
            unlinked.add(page)

    assert unlinked == NOT_LINKED.keys()
