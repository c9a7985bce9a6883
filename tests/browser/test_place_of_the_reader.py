"""The place of the reader: the bar and the outline name the message that was jumped to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.chromium import Open
from tests.support.long_transcripts import LONG, needs_real_data, write_completion

RUN = "/completions/chatcmpl-FM550gfLFnr6y6c7nSmi09Xw1E61v"
"""The sample of 254 messages."""

WALK = """async ({ selector, step }) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const ids = [...document.querySelectorAll(selector)]
        .filter((one) => one.checkVisibility() || one.matches(".outlined > .bubble"))
        .map((one) => one.id)
        .filter((_, at, all) => at % step === 0 || at >= all.length - 6);
    const lines = [...document.querySelectorAll(".outline-lines > li")];
    const wrong = [];
    for (const id of ids) {
        location.hash = id;
        for (let drawn = 0; drawn < 3; drawn += 1) await frame();
        const number = Number(id.match(/^m-([0-9]+)/)?.[1] ?? Infinity);
        const place = document.getElementById("place").textContent;
        const before = lines.filter(({ dataset }) => dataset.kind === "answer"
            ? number === Infinity : Number(dataset.number) <= number).at(-1);
        const marked = document.querySelector(".outline-lines li:has([aria-current])");
        const isNamed = number === Infinity ? place === "answer"
            : place.startsWith(`message ${number.toLocaleString("en")} of`);
        if (!isNamed || marked !== (before ?? null))
            wrong.push([id, place, marked?.textContent]);
    }
    return { count: ids.length, wrong };
}"""
"""Jump to each of the elements, and list those after which another message is named as current."""

MESSAGES = ".page .bubble[id], .outlined .bubble[id]"


def walk(page: Page, selector: str, step: int) -> int:
    found = page.evaluate(WALK, {"selector": selector, "step": step})
    assert found["wrong"] == []
    return int(found["count"])


@pytest.mark.parametrize(("width", "view"), [(1440, "compact"), (390, "full")])
def test_whatever_is_jumped_to_is_the_current_message(
    sample_address: str, open_page: Open, width: int, view: str
) -> None:
    page = open_page(sample_address, f"{RUN}?all=1&view={view}", width=width)
    assert walk(page, MESSAGES, 19) > 10
    assert walk(page, ".call[id]", 31) > 8


@needs_real_data
def test_the_longest_real_transcript_names_what_is_jumped_to(
    long_address: str, open_page: Open
) -> None:
    completion_id = json.loads(LONG.read_text())["id"]
    page = open_page(long_address, f"/completions/{completion_id}/messages/{completion_id}-600")
    assert walk(page, MESSAGES, 9) >= 8


@pytest.mark.parametrize("width", [1440, 390])
def test_links_keys_and_the_box_name_where_they_lead(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path, width: int
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 60))
    page = open_page(address, "/completions/chatcmpl-long/messages/chatcmpl-long-29", width=width)
    place = page.locator("#place")
    expect(place).to_have_text("message 30 of 60")
    for key, number in {"j": 31, "u": 33, "k": 32}.items():
        page.keyboard.press(key)
        expect(place).to_have_text(f"message {number} of 60")
    page.keyboard.press("i")
    page.keyboard.type("57")
    page.keyboard.press("Enter")
    page.wait_for_url("**#m-57")
    expect(place).to_have_text("message 57 of 60")

    page.goto(f"{address}/completions/chatcmpl-long?limit=100#m-57")
    expect(place).to_have_text("message 57 of 60")
    page.mouse.move(300, 500)
    page.mouse.wheel(0, -1200)
    expect(place).not_to_have_text("message 57 of 60")
    page.mouse.wheel(0, 90000)
    expect(place).to_have_text("answer")
    page.mouse.wheel(0, -90000)
    page.wait_for_function("() => scrollY === 0")
    expect(place).to_have_text("message 1 of 60")
    page.keyboard.press("j")
    expect(page.locator("#m-1")).to_be_focused()


def test_the_outline_leads_to_messages_loaded_since_without_leaving_the_page(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 60))
    page = open_page(address, "/completions/chatcmpl-long", width=1440)
    cell = page.locator('.ribbon a[data-number="33"] rect')
    assert cell.get_attribute("data-here") is None
    page.locator("#gap .button").click()
    expect(page.locator("#m-33")).to_have_count(1)
    expect(cell).to_have_attribute("data-here", "")
    page.evaluate("window.isSame = true")
    page.locator('.outline-lines [data-number="33"] a').click()
    expect(page.locator("#m-33")).to_be_in_viewport()
    expect(page.locator("#place")).to_have_text("message 33 of 60")
    assert page.evaluate("window.isSame")
    page.evaluate("scrollTo(0, 0)")
    page.locator('.outline-lines [data-number="33"] a').click()
    expect(page.locator("#m-33")).to_be_in_viewport()


def test_the_ribbon_of_a_whole_transcript_has_every_cell_on_the_page(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 60))
    page = open_page(address, "/completions/chatcmpl-long?all=1", width=1440)
    expect(page.locator("#choice-0")).to_have_count(1)
    expect(page.locator(".ribbon > svg .cell[data-here]")).to_have_count(61)
