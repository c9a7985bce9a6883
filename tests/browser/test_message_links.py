"""A link to a message in the browser: it opens there, and both ends can be reached from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.chromium import Open
from tests.support.browser.places import settled_bottom
from tests.support.long_transcripts import ids_on, write_completion


def press(page: Page, place: str) -> None:
    """Follows the link at the top or the bottom until its messages are there."""
    before = page.locator(".bubble").count()
    page.locator(f"#{place} .button").click()
    page.wait_for_function(
        "known => document.querySelectorAll('.bubble').length > known", arg=before
    )


def test_both_ends_of_a_transcript_are_reached_from_its_middle(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 130))
    page = open_page(address, "/completions/chatcmpl-long/messages/chatcmpl-long-70?limit=20")
    expect(page.locator("[data-target]")).to_have_attribute("data-message-id", "chatcmpl-long-70")
    pressed = []
    for place in ("earlier", "more"):
        while page.locator(f"#{place} .button").count():
            press(page, place)
            pressed.append(place)
    assert min(pressed.count("earlier"), pressed.count("more")) >= 2
    assert ids_on(page) == [f"chatcmpl-long-{at}" for at in range(130)]
    expect(page.locator(".outputs .bubble")).to_have_count(1)


def test_earlier_messages_do_not_move_what_is_being_read(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 80))
    page = open_page(address, "/completions/chatcmpl-long/messages/chatcmpl-long-50")
    linked = page.locator("[data-target]")
    before = settled_bottom(linked)
    press(page, "earlier")
    assert page.evaluate("scrollY") > 0
    assert settled_bottom(linked) == pytest.approx(before, abs=2)
    assert ids_on(page)[:2] == ["chatcmpl-long-30", "chatcmpl-long-31"]


def test_without_javascript_earlier_and_later_are_pages(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 60))
    link = "/completions/chatcmpl-long/messages/chatcmpl-long-30"
    page = open_page(address, link, javascript=False)
    page.get_by_text("Earlier messages").click()
    expect(page.locator(".bubble").first).to_have_attribute("data-message-id", "chatcmpl-long-10")
    page.get_by_text("Earlier messages").click()
    expect(page.locator(".bubble").first).to_have_attribute("data-message-id", "chatcmpl-long-0")
    expect(page.get_by_text("Earlier messages")).to_have_count(0)
    page.get_by_text("Load more").click()
    expect(page.locator(".bubble").first).to_have_attribute("data-message-id", "chatcmpl-long-10")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_link_into_a_turn_opens_scrolled_to_its_message(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path, javascript: bool
) -> None:
    path = write_completion(tmp_path / "long.jsonl", 60)
    line = json.loads(path.read_text())
    for message in line["messages"][1:]:
        message["role"] = "assistant"
    path.write_text(json.dumps(line) + "\n")
    load(path)
    link = "/completions/chatcmpl-long/messages/chatcmpl-long-15"
    page = open_page(address, link, javascript=javascript)

    assert page.locator(".bubble").first.get_attribute("id") == "m-1"
    expect(page.locator("[data-target]")).to_be_in_viewport()
    expect(page.locator("#m-1")).not_to_be_in_viewport()
    expect(page.locator("#place")).to_have_text("message 16 of 60")


def test_shift_click_on_two_numbers_opens_the_range_between_them(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 30))
    page = open_page(address, "/completions/chatcmpl-long")
    page.locator("#m-15 .number").click(modifiers=["Shift"])
    expect(page.locator("#status")).to_contain_text("From message 15")
    page.locator("#m-9 .number").click(modifiers=["Shift"])
    page.wait_for_url("**/completions/chatcmpl-long?range=9-15#m-9")
    expect(page.locator("[data-target]")).to_have_count(7)
    expect(page.locator("#place")).to_have_text("messages 9 to 15 of 30")
    page.locator("#m-11 .number").click(modifiers=["Shift"])
    page.wait_for_url("**/completions/chatcmpl-long?range=9-11#m-9")
