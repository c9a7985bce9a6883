"""The overview on a phone, in both schemes: nothing overlaps, and nothing fails axe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browser.accessibility import violations
from tests.support.browser.boxes import box_problems
from tests.support.browser.chromium import Open
from tools.store_rows import completion, jsonl


@pytest.fixture
def loaded(load: Callable[[Path], None], tmp_path: Path) -> None:
    """Store completions of a hundred days, with long names, and every way to end."""
    reasons = ["stop", "tool_calls", "length", "content_filter", "unheard of"]
    lines = []
    for at in range(100):
        call = {"id": "c", "type": "function", "function": {"name": f"tool_{at % 30}"}}
        choice = {"index": 0, "finish_reason": reasons[at % 5], "message": {"tool_calls": [call]}}
        usage = {"prompt_tokens": 10**at % 10**7, "completion_tokens": at}
        lines.append(
            completion(
                f"chatcmpl-{at}",
                created=1_794_916_800 - 86_400 * at,
                model=f"provider/a-model-with-a-long-name-{at % 9}",
                usage=usage,
                choices=[choice],
            )
        )
    load(jsonl(tmp_path / "some.jsonl", lines))


@pytest.mark.usefixtures("loaded")
def test_the_overview_on_a_phone(address: str, open_page: Open) -> None:
    page = open_page(address, "/completions", width=390)
    page.get_by_text("Models, failures and tools").click()
    assert box_problems(page) == []
    assert violations(page) == []
    # A bar leads to its time, wherever it is hit.
    bar = page.locator(".strip svg a").first
    title = bar.locator("title").text_content() or ""
    bar.locator(".strip-reach").click(position={"x": 1, "y": 2})
    expect(page.locator(".strip-legend > strong")).to_have_text("1 completion")
    assert title.startswith("2026-08-10") and "since:2026-08-10" in page.url.replace("%3A", ":")

    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.get_by_role("link", name="Of all").click()
    expect(page.locator(".strip svg a")).to_have_count(100)
    assert box_problems(page) == []
    assert violations(page) == []
