"""Search, conversations, newer completions and dropped files, as a reader uses them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.embedded.store.test_deriving import RUN
from tests.support.browser.accessibility import violations
from tests.support.browser.boxes import box_problems
from tests.support.browser.chromium import Open, keep_screenshot
from tests.support.serving import serve
from tests.views.test_importing import join_uploads
from tools.store_rows import completion, jsonl
from webapp import create_app
from webapp.config import Config

DROP = """text => {
    const files = new DataTransfer();
    files.items.add(new File([text], "dropped.jsonl"));
    document.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true}));
}"""


@pytest.fixture
def writable(config: Config, load: Callable[[Path], None], tmp_path: Path) -> Iterator[str]:
    """The address of an application that stores the run, and takes files."""
    load(jsonl(tmp_path / "run.jsonl", RUN))
    with serve(create_app(replace(config, allows_writes=True))) as address:
        yield address


def test_search_and_conversations_by_keyboard_on_a_phone_without_a_script(
    writable: str, open_page: Open
) -> None:
    page = open_page(writable, "/search", javascript=False, width=390)
    expect(page.locator("main [name=q]")).to_be_focused()
    page.keyboard.type("stockholm tool:trains")
    page.keyboard.press("Enter")
    expect(page.locator(".finds mark")).to_have_text("Stockholm")
    assert box_problems(page) == []
    keep_screenshot(page, "search")
    page.locator(".hit-place a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-target]")).to_contain_text("on to Stockholm?")

    place = page.get_by_role("navigation", name="Conversation")
    expect(place).to_contain_text("Request 5 of 5")
    assert box_problems(page) == []
    place.get_by_role("link", name="Previous request").focus()
    page.keyboard.press("Enter")
    expect(place).to_contain_text("Request 2 of 5")
    place.get_by_role("link", name="this conversation").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".conversation-line")).to_contain_text("Conversation of 5 requests")
    assert box_problems(page) == []
    keep_screenshot(page, "conversation")
    page.locator(".branches a").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".branches a[aria-current]")).to_have_count(1)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_row_of_the_list_unfolds_its_conversation(
    writable: str, open_page: Open, javascript: bool
) -> None:
    page = open_page(writable, "/completions", javascript=javascript, width=390)
    row = page.locator(".row", has_text="5 requests")
    expect(row).to_have_count(1)
    second = row.get_by_role("link", name="Request 2")
    expect(second).to_be_hidden()
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(row.get_by_role("link", name="Request ")).to_have_count(5)
    expect(second).to_be_visible()
    second.focus()
    page.keyboard.press("Enter")
    place = page.get_by_role("navigation", name="Conversation")
    expect(place).to_contain_text("Request 2 of 5")


def test_newer_completions_are_told_and_files_are_dropped(
    writable: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    page = open_page(writable, "/completions")
    load(jsonl(tmp_path / "newer.jsonl", [completion("chatcmpl-newer", created=9_000)]))
    # Whoever comes back to the tab is told at once.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("link", name="1 newer").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".rows > .row").first).to_contain_text("message 0")
    expect(page.locator(".newer a")).to_have_count(0)

    with page.expect_navigation():
        page.get_by_role("link", name="Open files").click()
    lines = [completion("chatcmpl-dropped"), {"no": "completion"}]
    page.evaluate(DROP, "\n".join(map(json.dumps, lines)))
    assert page.evaluate("document.getElementById('files').files[0].name") == "dropped.jsonl"
    page.get_by_role("button", name="Import").click()
    expect(page.locator(".import-sum")).to_contain_text("1 completion")
    assert violations(page) == []
    keep_screenshot(page, "imported")


def test_an_import_that_goes_on_is_asked_for_again(config: Config, open_page: Open) -> None:
    app = create_app(replace(config, allows_writes=True))
    uploads = app.extensions["readback"].uploads
    file = uploads.open_file()
    file.write(json.dumps(completion("chatcmpl-waiting")).encode())
    with serve(app) as address:
        page = open_page(address, "/import")
        page.clock.install()
        with uploads._turn:
            upload_id = uploads.begin([("a.jsonl", file)], keeps_both=False)
            page.goto(f"{address}/import/{upload_id}")
            expect(page.locator("[data-htmx-powered]")).to_contain_text("Waits for another import")
        join_uploads()
        page.clock.fast_forward(1_000)
        expect(page.locator(".import-sum")).to_contain_text("1 completion loaded")
