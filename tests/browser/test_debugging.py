"""Find out by keys alone, without scripts, what went wrong in a real transcript."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser.boxes import box_problems
from tests.support.browser.chromium import Open
from tools.paths import REAL_DATA

TRANSCRIPTS = REAL_DATA / "transcripts"
CUT = TRANSCRIPTS / "malformed_arguments.jsonl"
LONG = TRANSCRIPTS / "tau_bench_airline.jsonl"
UNSURE = TRANSCRIPTS / "chatlas.jsonl"

pytestmark = pytest.mark.skipif(
    not CUT.exists(), reason="the real transcripts are not beside this checkout"
)


def first_of(file: Path, word: str) -> dict[str, Any]:
    lines = file.read_text(encoding="utf-8").splitlines()
    found: dict[str, Any] = json.loads(next(line for line in lines if word in line))
    return found


def press(page: Page, target: Locator) -> None:
    target.focus()
    page.keyboard.press("Enter")


def follow(page: Page, name: str) -> None:
    """Open the menu of the transcript, and follow its link."""
    press(page, page.locator(".bar-tools .menu > summary[title=More]"))
    press(page, page.locator(".bar-tools .menu-items").get_by_role("link", name=name, exact=True))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_finding_a_hit_and_the_source_are_found_without_a_script(
    address: str, load: Callable[[Path], None], open_page: Open, width: int
) -> None:
    load(CUT)
    load(LONG)
    page = open_page(address, "/completions", javascript=False, width=width)
    sent = first_of(CUT, "")
    page.goto(f"{address}/completions/{sent['id']}")
    transcript = page.url

    press(page, page.get_by_role("link", name="Checks"))
    expect(page.locator(".finding").first).to_contain_text("column")
    assert box_problems(page) == []
    press(page, page.locator(".finding").first.get_by_role("link"))
    expect(page.locator(":target")).to_be_in_viewport()

    page.goto(transcript)
    follow(page, "JSON")
    press(page, page.get_by_role("link", name="source, as sent"))
    shown = page.locator("pre.json").inner_text()
    assert json.loads(shown)["choices"] == sent["choices"]

    asked = first_of(LONG, "get_reservation_details")
    page.goto(f"{address}/completions/{asked['id']}")
    page.get_by_label("Go to a message, or search").focus()
    page.keyboard.type("get_reservation_details")
    page.keyboard.press("Enter")
    expect(page.locator(".hit mark").first).to_have_text("get_reservation_details")
    press(page, page.locator(".hit-place a").nth(1))
    expect(page.locator("nav.found")).to_contain_text("Hit 2")
    press(page, page.get_by_role("link", name="Next", exact=True))
    expect(page.locator("nav.found")).to_contain_text("Hit 3")
    expect(page.locator("article", has_text="get_reservation_details").first).to_be_attached()


def test_the_tokens_of_a_real_answer_are_linked_and_named(
    address: str, load: Callable[[Path], None], open_page: Open
) -> None:
    load(UNSURE)
    sent = first_of(UNSURE, '"top_logprobs"')
    page = open_page(address, f"/completions/{sent['id']}", javascript=False, width=390)
    press(page, page.get_by_role("link", name="Confidence by token"))
    tokens = sent["choices"][0]["logprobs"]["content"]
    expect(page.locator("table tbody tr")).to_have_count(len(tokens))
    press(page, page.locator(".tokens a").first)
    expect(page.locator("tr:target")).to_be_in_viewport()
