"""Compare completions by the keyboard alone, without scripts, and read the tokens of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.analysis.checks.cases import complete
from tests.support.browser.accessibility import violations
from tests.support.browser.boxes import box_problems
from tests.support.browser.chromium import Open
from tests.support.browser.contrast import faint_texts
from tools.paths import ROOT

HAIKU = ROOT / "webapp" / "embedded" / "samples" / "21-haiku.json"
MESSAGES = [{"role": "user", "content": f"Question {number}."} for number in range(60)]


def test_two_rows_are_compared_without_a_mouse_or_scripts(
    address: str, load: Callable[[Path], None], tmp_path: Path, open_page: Open
) -> None:
    file = tmp_path / "two.jsonl"
    changed = [*MESSAGES]
    changed[49] = {"role": "user", "content": "Question 49, again."}
    documents = [
        complete(MESSAGES, temperature=0, created=1) | {"id": "chatcmpl-a"},
        complete(changed, temperature=1, created=2) | {"id": "chatcmpl-b"},
    ]
    file.write_text("".join(f"{json.dumps(one)}\n" for one in documents), encoding="utf-8")
    load(file)
    page = open_page(address, "/completions", javascript=False)
    compare = page.get_by_role("button", name="Compare two")
    expect(compare).to_be_hidden()
    for box in page.get_by_label("Tick this completion").all():
        box.focus()
        page.keyboard.press("Space")
    expect(compare).to_be_visible()
    compare.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?a=chatcmpl-a&b=chatcmpl-b")
    expect(page.locator(".headline")).to_contain_text(
        "49 messages unchanged, then: message 50 differs."
    )
    expect(page.locator("#d-1")).to_be_in_viewport()
    expect(page.locator("#d-1 ins")).to_have_text(", again")
    page.get_by_role("link", name="B: message 50").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#m-50")).to_be_in_viewport()

    seen = open_page(address, "/compare?a=chatcmpl-a&b=chatcmpl-b", width=390)
    for scheme in ("light", "dark"):
        seen.emulate_media(color_scheme=scheme)
        assert faint_texts(seen) == []
    assert box_problems(seen) == []
    assert violations(seen) == []


def test_the_tokens_of_an_answer_are_told_on_focus(sample_address: str, open_page: Open) -> None:
    completion_id = json.loads(HAIKU.read_text(encoding="utf-8"))["id"]
    page = open_page(sample_address, f"/completions/{completion_id}/confidence")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert faint_texts(page) == []
    page.get_by_role("link", name="boats").first.focus()
    told = page.evaluate("getComputedStyle(document.activeElement, '::after').content")
    assert "17.55 %" in told
    page.keyboard.press("Enter")
    expect(page.locator("tr:target")).to_contain_text("boats")
