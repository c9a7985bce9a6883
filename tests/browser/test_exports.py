"""Exports in a browser: the file of HTML opens without a network, and copies are as written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from tests.support.any_json import TRANSCRIPTS
from tests.support.browser.chromium import Open, open_menu

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Erk"
    "Jggg=="
)
MESSAGES = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "A **bold** question <script>document.title = 'x'</script>"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            {"type": "image_url", "image_url": {"url": "https://evil.example/x.png"}},
        ],
    },
    {"role": "assistant", "content": "```\nopen"},
]
ANSWER = {"index": 0, "message": {"role": "assistant", "content": "The *end*."}}


def test_a_file_opens_offline_and_a_copy_is_markdown_and_rich_text(
    address: str,
    load: Callable[[Path], None],
    client: FlaskClient,
    tmp_path: Path,
    open_page: Open,
) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(
        json.dumps({"id": "chatcmpl-1", "messages": MESSAGES, "choices": [ANSWER]}) + "\n"
    )
    load(file)
    page = open_page(address, "/completions/chatcmpl-1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copying = page.locator(".bar-actions")
    open_menu(copying)
    for words, kind in (("Markdown", "text/plain"), ("Rich text", "text/html")):
        copying.get_by_role("link", name=words, exact=True).click()
        expect(page.locator("#status")).to_have_text("Copied.")
        copied = page.evaluate(
            """async kind => (await (await navigator.clipboard.read())[0].getType(kind)).text()""",
            kind,
        )
        if kind == "text/plain":
            assert copied == client.get("/completions/chatcmpl-1/export.md").text
        else:
            assert "<strong>bold</strong>" in copied and "<em>end</em>" in copied
        page.evaluate("document.getElementById('status').textContent = ''")

    exported = tmp_path / "exported.html"
    exported.write_bytes(client.get("/completions/chatcmpl-1/export.html").get_data())
    requested: list[str] = []
    browser = page.context.browser
    assert browser is not None
    page = browser.new_context(offline=True).new_page()
    page.on("request", lambda request: requested.append(request.url))
    page.goto(exported.as_uri())
    expect(page.locator("article")).to_have_count(3)
    assert page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)") == [1]
    assert page.title().startswith("A bold question")
    expect(page.get_by_role("heading", level=1)).to_contain_text("A bold question")
    assert page.locator("article strong").evaluate("one => getComputedStyle(one).fontWeight") >= "6"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert {url.partition(":")[0] for url in requested} <= {"file", "data"}
    page.context.close()


@pytest.mark.skipif(not TRANSCRIPTS, reason="the recorded transcripts are not beside the checkout")
def test_files_of_real_transcripts_open_offline_and_silently(
    load: Callable[[Path], None], client: FlaskClient, tmp_path: Path, browser: Browser
) -> None:
    """The first transcript of each collection."""
    firsts = [file.read_text(encoding="utf-8").partition("\n")[0] for file in TRANSCRIPTS]
    file = tmp_path / "firsts.jsonl"
    file.write_text("\n".join(firsts), encoding="utf-8")
    load(file)
    heard: list[str] = []
    page = browser.new_context(offline=True).new_page()
    page.on("console", lambda message: heard.append(message.text))
    page.on("request", lambda request: heard.append(request.url))
    for at, one in enumerate(client.get("/completions.jsonl").text.splitlines()):
        written = tmp_path / f"{at}.html"
        address = f"/completions/{json.loads(one)['id']}/export.html"
        written.write_bytes(client.get(address).get_data())
        page.goto(written.as_uri())
        assert page.locator("article").count()
    page.context.close()
    assert [one for one in heard if not one.startswith(("file:", "data:"))] == []
