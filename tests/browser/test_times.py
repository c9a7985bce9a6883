"""Times in the reader's own time zone, in UTC without the script, exact in the title."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.support.serving import serve
from tools.store_rows import add, completion
from webapp.config import Config
from webapp.embedded import Store
from webapp.factories import find_database_url

INSTANT = 1_783_263_787
"""2026-07-05 15:03:07 UTC."""


@pytest.mark.parametrize(
    ("zone", "script", "shown"),
    [
        ("Asia/Kolkata", True, "2026-07-05 20:33 GMT+5:30"),
        ("Pacific/Auckland", True, "2026-07-06 03:03 GMT+12"),
        ("America/St_Johns", True, "2026-07-05 12:33 GMT-2:30"),
        ("Asia/Kolkata", False, "2026-07-05 15:03 UTC"),
    ],
)
def test_a_time_is_the_readers(
    browser: Browser, app: Flask, config: Config, zone: str, script: bool, shown: str
) -> None:
    store = Store(find_database_url(config))
    add(store, completion("chatcmpl-1", created=INSTANT))
    store.close()
    with serve(app) as address:
        context = browser.new_context(timezone_id=zone, java_script_enabled=script)
        page = context.new_page()
        page.goto(f"{address}/completions/chatcmpl-1")
        time = page.locator(".about time")
        assert time.inner_text() == shown
        assert time.get_attribute("title") == "2026-07-05T15:03:07Z"
        page.goto(f"{address}/completions")
        title = page.locator(".row time").get_attribute("title")
        assert title is not None and title.endswith("2026-07-05T15:03:07Z")
        assert title.startswith(shown) is script
        context.close()
