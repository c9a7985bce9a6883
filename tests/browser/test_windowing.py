"""Transcripts of thousands of messages in the browser: what is far from the window is text only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.browser.chromium import Open
from tests.support.long_transcripts import ids_on

MESSAGES = 1_640
FAR = ".page[data-text-only]"
REMEMBER = """() => {
  window.whole = new Map();
  const remember = () => document.querySelectorAll(".page:not([data-text-only])").forEach((one) => {
    if (!whole.has(one)) whole.set(one, one.outerHTML);
  });
  document.addEventListener("readback:added", () => setTimeout(remember));
  remember();
}"""
RESTORE = """async () => {
  const changed = [];
  for (const one of document.querySelectorAll(".page[data-text-only]")) {
    await new Promise((then) =>
      one.dispatchEvent(new CustomEvent("readback:needed", { bubbles: true, detail: { then } })));
    if (one.outerHTML !== whole.get(one)) changed.push([one.outerHTML, whole.get(one)]);
  }
  return changed;
}"""
IS_LIGHT = "() => document.querySelectorAll('.page:not([data-text-only])').length < 40"
PRINTS_AT_ONCE = """() => new Promise((done) => {
  addEventListener("click", (event) => {
    done(event.defaultPrevented);
    event.preventDefault();
  }, { once: true });
  document.querySelector("[data-print]").click();
})"""


def write_very_long_run(path: Path) -> Path:
    """Write a run whose pages of twenty messages have all that parsers might change."""
    messages: list[dict[str, Any]] = []
    for at in range(0, MESSAGES, 20):
        function = {"name": "look", "arguments": json.dumps({"text": "\r\n\n first \r"})}
        call = {"id": f"call_{at}", "type": "function", "function": function}
        calls = {"tool_calls": [call]} if at % 400 == 200 else {}
        messages += [
            {"role": "user", "content": f"\n\nPlease & <b>thank</b> you, number {at}.\r\n\tNow."},
            {"role": "assistant", "content": "```\n\n\n  code\r\n```\n\n| a | b |\n|-|-|\n| 1 | |"},
            {"role": "assistant", "content": f"I look at {at}.", **calls},
            {"role": "tool", "tool_call_id": call["id"], "content": "\n\nFound.\r\n"}
            if calls
            else {"role": "user", "content": "Go on."},
            *({"role": "user", "content": f"Word {at + more}."} for more in range(16)),
        ]
    choice = {"index": 0, "message": {"role": "assistant", "content": "The end."}}
    line = {"id": "chatcmpl-long", "created": 1_760_000_000, "model": "m", "messages": messages}
    path.write_text(json.dumps({**line, "choices": [choice]}) + "\n")
    return path


def load_all(page: Page) -> None:
    """Load the whole transcript, and wait until what is far is text only."""
    page.locator("[data-load-all]").click()
    expect(page.locator("#gap")).to_have_count(0)
    page.wait_for_function(IS_LIGHT)


def test_sections_far_from_the_window_are_text_until_they_come_near(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_very_long_run(tmp_path / "long.jsonl"))
    page = open_page(address, "/completions/chatcmpl-long?view=full")
    page.evaluate(REMEMBER)
    load_all(page)
    assert ids_on(page) == [f"chatcmpl-long-{at}" for at in range(MESSAGES)]
    assert page.locator(FAR).count() > 50
    assert page.locator(f"{FAR} a, {FAR} button").count() == 0
    far = page.locator("#m-501")
    words = "501 user\nPlease & <b>thank</b> you, number 500.\n"
    assert (far.text_content() or "").startswith(words)
    page.emulate_media(media="print")
    assert far.evaluate("one => one.checkVisibility({ contentVisibilityAuto: true })")
    page.emulate_media(media="screen")
    assert not page.evaluate(PRINTS_AT_ONCE)
    page.evaluate("location.hash = 'm-501'")
    expect(far.locator(".number")).to_be_in_viewport()
    expect(page.locator(".bubble:target")).to_have_id("m-501")
    expect(page.locator("#place")).to_contain_text("message 501 ")
    assert page.evaluate(RESTORE) == []
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#m-2 .number")).to_be_in_viewport()
    page.locator("#m-2").focus()
    page.keyboard.press("e")
    expect(page.locator("#status")).to_have_text("Nothing further on this page.")
    assert page.locator(FAR).count() > 50
    for number in (203, 603):
        page.keyboard.press("n")
        expect(page.locator(f"#m-{number} .call")).to_be_focused()
        expect(page.locator(f"#m-{number} .call-name")).to_be_in_viewport()
    page.locator(".outline-lines a").first.click()
    expect(page.locator("#m-1 .number")).to_be_in_viewport()
    page.wait_for_function(IS_LIGHT)
