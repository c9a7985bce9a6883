"""Copy the code of a completion, run it again, keep a copy and delete it: keyboard, no script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.chromium import Open, keep_screenshot
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.model_server import FakeModel, completion, whole
from tests.support.serving import serve
from tools.store_rows import database_url
from webapp import create_app
from webapp.config import Config, Limits

QUESTION = "What's `the` $boiling point \\ of water?"


@pytest.fixture
def remote_address(fake: FakeUpstream, tmp_path: Path) -> Iterator[str]:
    """The application beside a fake server, with a model server and leave to change."""
    model = FakeModel()
    model.script(whole(completion("chatcmpl-again", "About 90 °C.")))
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", QUESTION, metadata={"run": "7"})
    with fake.serve() as base_url, model.serve() as model_url:
        config = Config(
            openai_base_url=base_url,
            openai_api_key="sk-test-4f9a",
            database_url=database_url(tmp_path),
            model_url=model_url,
            allows_writes=True,
            upstream_days=30,
            limits=Limits(max_retries=0, page_timeout=120),
            message_cache_bytes=0,
        )
        with serve(create_app(config)) as address:
            yield address


def follow(page: Page, name: str) -> None:
    """Open the menu of the transcript and follow its link, by the keyboard alone."""
    page.locator(".bar-tools .menu > summary[title=More]").focus()
    page.keyboard.press("Enter")
    page.locator(".bar-tools .menu-items").get_by_role("link", name=name, exact=True).focus()
    page.keyboard.press("Enter")


def test_code_is_copied_a_copy_kept_and_the_original_deleted(
    remote_address: str, open_page: Open, fake: FakeUpstream
) -> None:
    page = open_page(remote_address, "/completions/chatcmpl-1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    follow(page, "Run again")
    page.get_by_role("link", name="Python").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".code-language")).to_have_text("Python")
    page.get_by_role("button", name="copy").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == (page.locator(".code code").text_content() or "").rstrip("\n")
    assert "boiling point \\\\ of water" in copied

    # All that changes something is a form, which needs no script.
    path = "/completions/chatcmpl-1/code?for=again"
    plain = open_page(remote_address, path, javascript=False, expected=("404",))
    keep_screenshot(plain, "code")
    plain.get_by_role("button", name="Run again").focus()
    plain.keyboard.press("Enter")
    expect(plain.get_by_role("region", name="Answer")).to_contain_text("About 90 °C.")
    expect(plain.get_by_label("Metadata")).to_contain_text("readback_rerun_of")
    assert plain.url.endswith("/kept/chatcmpl-again")

    plain.goto(f"{remote_address}/completions/chatcmpl-1")
    plain.get_by_role("button", name="keep a copy").focus()
    plain.keyboard.press("Enter")
    expect(plain.locator(".kept-banner")).to_contain_text("A copy")

    plain.goto(f"{remote_address}/completions/chatcmpl-1/metadata")
    plain.get_by_label("Value 1").fill("8")
    plain.get_by_role("button", name="Save").focus()
    plain.keyboard.press("Enter")
    expect(plain.get_by_label("Metadata")).to_contain_text("8")

    plain.goto(f"{remote_address}/completions/chatcmpl-1/delete")
    keep_screenshot(plain, "delete")
    expect(plain.get_by_role("link", name="The copy")).to_be_visible()
    plain.get_by_role("button", name="Delete").focus()
    plain.keyboard.press("Enter")
    expect(plain.get_by_role("heading", name="Stored completions")).to_be_visible()
    assert "chatcmpl-1" not in fake.completions
    plain.goto(f"{remote_address}/completions/chatcmpl-1")
    plain.get_by_role("link", name="Open the copy").click()
    expect(plain.locator(".bubble").first).to_contain_text("boiling point")
