"""A transcript is shared, changed and deleted by the keyboard alone: Tab, Enter, space, letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.shares.sharing import COMPLETION, OWN_ID
from tests.support.browser.chromium import Open
from webapp.config import Config

MOST_TABS = 80
FOCUSED = """() => {
  const focused = document.activeElement;
  const label = focused.labels?.[0]?.innerText ?? focused.getAttribute("aria-label");
  const box = focused.getBoundingClientRect();
  return {
    name: (label ?? focused.innerText).trim().split("\\n")[0],
    isSeen: box.width > 0 && box.height > 0 && getComputedStyle(focused).outlineStyle !== "none",
  };
}"""


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, allows_writes=True)


def follow(page: Page, *names: str) -> None:
    """Move to each link or button, press Enter, and wait for the page that it leads to."""
    for name in names:
        move_to(page, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")


def follow_in_menu(page: Page, name: str) -> None:
    move_to(page, "More for the transcript")
    page.keyboard.press("Enter")
    follow(page, name)


def move_to(page: Page, name: str) -> None:
    """Press Tab until the focus is visibly on what is named or labelled so."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["name"] == name:
            assert focused["isSeen"], f"the focus on {name} is not visible"
            return
    raise AssertionError(f"{MOST_TABS} tabs do not reach {name}")


def test_a_transcript_is_shared_changed_and_deleted_by_keys_alone(
    address: str, load: Callable[[Path], None], tmp_path: Path, open_page: Open
) -> None:
    file = tmp_path / "one.jsonl"
    messages = [{"role": "user", "content": f"Question {at}"} for at in range(30)]
    file.write_text(json.dumps({**COMPLETION, "messages": messages}), encoding="utf-8")
    load(file)
    page = open_page(address, f"/completions/{OWN_ID}")
    follow(page, "Share")
    move_to(page, "Words to mask, one a line")
    page.keyboard.type("Mistral")
    follow(page, "Search for secrets and show the preview")
    move_to(page, "Skip the preview")
    page.keyboard.press("Enter")
    follow(page, "Make the link", "The transcript")

    follow_in_menu(page, "Edit metadata")
    move_to(page, "Value 1")
    page.keyboard.press("Control+a")
    page.keyboard.type("by keys")
    follow(page, "Save")
    expect(page.get_by_label("Metadata")).to_contain_text("by keys")

    follow_in_menu(page, "Delete")
    move_to(page, "Revoke them: their links stop working at once")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Keep them to their end")).to_be_checked()
    follow(page, "Delete")
    expect(page.get_by_role("heading", name="Stored completions")).to_be_visible()
    expect(page.get_by_role("main")).not_to_contain_text("Question")
    follow(page, "Shares")
    follow(page, "Revoke")
    expect(page.get_by_role("main")).to_contain_text("revoked")
