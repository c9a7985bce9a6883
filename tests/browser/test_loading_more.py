"""Load more and Load all in the browser: everything arrives, nothing jumps, focus follows."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser.chromium import Open, wait_for_scripts
from tests.support.browser.places import settled_bottom
from tests.support.command import PATIENCE
from tests.support.fake_upstream import FakeUpstream, Reply, stored
from tests.support.long_transcripts import (
    LONG,
    ids_on,
    needs_real_data,
    write_agent_run,
    write_completion,
)

NEXT = ":is(#gap, #more) .button"
TOPS_OF_FRAMES = """async (link) => {
  const tops = [];
  link.scrollIntoView({ block: "center" });
  for (let frame = 0; frame < 4; frame += 1) {
    tops.push(Math.round(link.getBoundingClientRect().top));
    await new Promise(requestAnimationFrame);
  }
  return tops;
}"""

PROCESSED = """
document.addEventListener("htmx:after:process", ({ target }) => processed.push(target));
window.processed = [];
"""


def load_more(page: Page) -> None:
    """One press of the link to the next messages, until they are there."""
    page.locator(NEXT).focus()
    before = page.locator(".bubble").count()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "known => document.querySelectorAll('.bubble').length > known", arg=before
    )


def hold_pages(fake: FakeUpstream) -> threading.Event:
    """Let no page of `fake` be answered before the event that is returned."""
    gate = threading.Event()
    fake.page = lambda answer: answer if gate.wait(PATIENCE) else answer
    return gate


def test_more_is_put_before_the_end_until_nothing_is_left_between(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 65))
    page = open_page(address, "/completions/chatcmpl-long")
    assert ids_on(page) == [f"chatcmpl-long-{at}" for at in (*range(20), 64)]
    expect(page.locator("#choice-0")).to_contain_text("The end.")
    page.locator(NEXT).focus()
    read = page.locator("#m-20")
    place = settled_bottom(read)
    load_more(page)
    assert page.evaluate("document.activeElement.dataset.messageId") == "chatcmpl-long-20"
    assert settled_bottom(read) == pytest.approx(place, abs=2)
    assert page.locator("#status").inner_text() == "20 more, 24 messages between"
    load_more(page)
    assert page.evaluate("document.activeElement.dataset.messageId") == "chatcmpl-long-40"
    assert page.locator("#gap .button").inner_text() == "load 4"
    load_more(page)
    assert page.evaluate("document.activeElement.dataset.messageId") == "chatcmpl-long-60"
    assert ids_on(page) == [f"chatcmpl-long-{at}" for at in range(65)]
    expect(page.locator("#gap")).to_have_count(0)
    expect(page.locator("#choice-0")).to_have_count(1)
    expect(page.locator("#more")).to_have_text("End of the transcript")


def test_scripts_that_load_more_are_fetched_when_they_are_needed_and_asked_for_again(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 65))
    page = open_page(address, "/completions/chatcmpl-long", expected=("Failed to load resource",))
    page.keyboard.press("Shift")
    wait_for_scripts(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    held: list[Route] = []
    page.route("**/static/**", lambda route: held.append(route))
    page.locator(NEXT).click()
    expect(page.locator(NEXT)).to_have_attribute("aria-busy", "true")
    page.route("**/static/**", lambda route: route.abort())
    for route in held:
        route.abort()
    expect(page.locator("#status")).to_contain_text("Try again.")
    expect(page.locator(NEXT)).not_to_have_attribute("aria-busy", "true")
    assert {*asked} == {"swapped.js", "htmx.min.js"}
    page.unroute("**/static/**")
    load_more(page)
    assert page.locator(".bubble").count() == 42


def test_what_is_pressed_near_the_end_does_not_move_away_when_the_end_is_seen(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    """A section that is laid out when it comes near is as high as it was taken for before."""
    load(write_completion(tmp_path / "long.jsonl", 65))
    page = open_page(address, "/completions/chatcmpl-long")
    tops = page.locator("[data-load-all]").evaluate(TOPS_OF_FRAMES)
    assert tops == [tops[0]] * len(tops)


def test_two_lines_of_a_filter_that_meet_become_one(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 65))
    page = open_page(address, "/completions/chatcmpl-long?only=system")
    lines = page.locator(".left-out")
    expect(lines).to_have_text(["20 messages not shown", "1 message not shown"])
    for between in ("24", "4"):
        page.locator(NEXT).click()
        expect(page.locator("#gap .progress")).to_have_text(f"{between} messages between")
        expect(lines).to_have_count(2)
        expect(page.locator("#gap a").first).to_be_focused()
    page.locator(NEXT).click()
    expect(lines).to_have_text(["65 messages not shown"])


def test_a_line_of_a_filter_becomes_one_with_that_of_folded_messages_below_it(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    path = write_completion(tmp_path / "long.jsonl", 65)
    first = json.loads(path.read_text())
    said = first["messages"]
    said[29]["role"] = said[45]["role"] = "system"
    answer = first["choices"][0]["message"]
    messages = [*said, answer, {"role": "user", "content": "And then?"}]
    second = {**first, "id": "chatcmpl-next", "created": first["created"] + 1, "messages": messages}
    path.write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n")
    load(path)
    page = open_page(address, "/completions/chatcmpl-next?only=system")
    lines = page.locator(".left-out")
    expect(lines.first).to_have_text("20 messages not shown")
    page.locator(NEXT).click()
    expect(page.locator(".older .left-out")).to_have_text(["29 messages not shown"])
    expect(lines.first).to_have_text("29 messages not shown")
    page.locator(NEXT).click()
    expect(page.locator(".older .left-out")).to_have_text(
        ["29 messages not shown", "15 messages not shown"]
    )
    expect(page.locator(".older > summary")).to_have_text("2 messages of the previous request")


def test_sections_that_were_loaded_are_laid_out_when_they_come_near(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    """Also those of a few bubbles fewer than messages, whose results are in their calls."""
    load(write_agent_run(tmp_path / "long.jsonl", 43))
    page = open_page(address, "/completions/chatcmpl-long?view=full")
    for _ in range(5):
        load_more(page)
    laid_out = page.eval_on_selector_all(
        "section.page",
        """all => all.map(one => one.querySelector(".parts").checkVisibility({
          contentVisibilityAuto: true
        }))""",
    )
    # Besides the first one those at the window, that with the focus, and the end.
    assert len(laid_out) == 8
    assert laid_out[1:].count(True) <= 4


def test_htmx_processes_only_the_links_that_are_pressed(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    """Nothing that is loaded: it would look at each attribute, for which Chromium keeps objects."""
    load(write_completion(tmp_path / "long.jsonl", 45))
    page = open_page(address, "/completions/chatcmpl-long")
    page.evaluate(PROCESSED)
    load_more(page)
    load_more(page)
    assert page.evaluate("processed.map((one) => one.textContent)") == ["load 20", "load 4"]


@needs_real_data
def test_the_longest_transcript_is_loaded_to_its_end_by_load_all(
    long_address: str, open_page: Open
) -> None:
    completion = json.loads(LONG.read_text())
    page = open_page(long_address, f"/completions/{completion['id']}")
    page.locator("[data-load-all]").click()
    expect(page.locator("#gap")).to_have_count(0)
    expect(page.locator(".outputs .bubble")).to_have_count(1)
    assert ids_on(page) == [f"{completion['id']}-{at}" for at in range(1143)]


def test_load_all_can_be_stopped_and_goes_on_later(
    fake_address: str, fake: FakeUpstream, open_page: Open
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"text {at}" for at in range(200)))
    page = open_page(fake_address, "/completions/chatcmpl-1?limit=5")
    gate = hold_pages(fake)
    page.locator("[data-load-all]").click()
    page.locator("[data-stop]").click()
    gate.set()
    expect(page.locator("[data-stop]")).to_be_hidden()
    stopped = page.locator(".bubble").count()
    assert stopped < 200
    page.locator("[data-load-all]").click()
    expect(page.locator("#gap")).to_have_count(0)
    assert ids_on(page) == [f"chatcmpl-1-{at}" for at in range(200)]


@pytest.mark.parametrize("link", ["load 20", "load all"])
def test_without_javascript_the_links_lead_to_the_rest(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path, link: str
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 130))
    page = open_page(address, "/completions/chatcmpl-long", javascript=False)
    seen = ids_on(page)[:20]
    with page.expect_navigation():
        page.get_by_text(link).click()
    seen = [*(seen if link == "load 20" else []), *ids_on(page)]
    while page.get_by_text("Load more").count():
        with page.expect_navigation():
            page.get_by_text("Load more").click()
        seen += ids_on(page)
    assert seen == [f"chatcmpl-long-{at}" for at in range(130)]
    expect(page.locator("#choice-0")).to_contain_text("The end.")


def test_a_failure_keeps_what_is_there_and_offers_a_retry(
    fake_address: str, fake: FakeUpstream, open_page: Open
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"text {at}" for at in range(30)))
    path = "/completions/chatcmpl-1?after=chatcmpl-1-0"
    page = open_page(fake_address, path, expected=("Failed to load resource",))
    fake.script("/chat/completions/chatcmpl-1/messages", Reply(500, {}))
    page.locator("#more .button").click()
    expect(page.locator("#more [role=alert]")).to_contain_text("Could not load")
    assert len(ids_on(page)) == 20
    page.get_by_text("Retry").click()
    expect(page.locator("#choice-0")).to_be_visible()
    assert ids_on(page) == [f"chatcmpl-1-{at}" for at in range(1, 30)]
    expect(page.locator("[role=alert]")).to_have_count(0)


def test_back_and_forward_keep_the_messages_that_were_loaded(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 60))
    page = open_page(address, "/completions")
    page.locator(".row-link").first.click()
    load_more(page)
    page.evaluate("location.hash = 'm-25'")
    page.go_back()
    assert page.locator(".bubble").count() == 40 + 2 + 1
    page.go_back()
    expect(page.locator(".rows")).to_be_visible()
    page.go_forward()
    expect(page.locator("main .bubble").first).to_be_visible()
    assert page.locator("html > body > header.app-bar").count() == 1


@pytest.mark.parametrize("link", ["#more .button", "[data-load-all]"])
def test_a_lost_connection_is_told_and_can_be_tried_again(
    fake_address: str, fake: FakeUpstream, open_page: Open, link: str
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"text {at}" for at in range(30)))
    lost = ("Failed to fetch", "Failed to load resource")
    page = open_page(fake_address, "/completions/chatcmpl-1?after=chatcmpl-1-0", expected=lost)
    page.route("**/*after=*", lambda route: route.abort())
    page.locator(link).click()
    expect(page.locator("#more [role=alert]")).to_contain_text("did not answer")
    expect(page.locator("#loading-all")).to_be_hidden()
    assert len(ids_on(page)) == 20
    page.unroute("**/*after=*")
    page.locator("#more .button").click()
    expect(page.locator("#choice-0")).to_be_visible()
    assert ids_on(page) == [f"chatcmpl-1-{at}" for at in range(1, 30)]


@pytest.mark.parametrize("stop", [True, False])
def test_the_focus_is_never_lost_after_loading_all(
    fake_address: str, fake: FakeUpstream, open_page: Open, stop: bool
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"text {at}" for at in range(120)))
    page = open_page(fake_address, "/completions/chatcmpl-1?limit=5")
    gate = hold_pages(fake)
    page.locator("[data-load-all]").click()
    if stop:
        page.locator("[data-stop]").click()
    gate.set()
    if stop:
        expect(page.locator("#gap .button:not([aria-busy])")).to_be_visible()
    else:
        expect(page.locator("#gap")).to_have_count(0)
    expect(page.locator("#loading-all")).to_be_hidden()
    page.wait_for_function("() => document.activeElement.closest('#gap, #more') !== null")


def test_newest_first_is_read_to_the_first_message_with_the_answer_on_top(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 45))
    page = open_page(address, "/completions/chatcmpl-long")
    page.get_by_label("More for the transcript").click()
    page.get_by_role("link", name="Newest first").click()
    expect(page.locator("main .bubble").first).to_contain_text("The end.")
    load_more(page)
    assert page.evaluate("document.activeElement.dataset.messageId") == "chatcmpl-long-24"
    load_more(page)
    assert ids_on(page) == [f"chatcmpl-long-{at}" for at in reversed(range(45))]
    expect(page.locator("#choice-0")).to_have_count(1)
    expect(page.locator("#more")).to_have_text("45 of 45 messages")


def test_load_all_pressed_again_before_the_stopped_page_came_goes_on(
    fake_address: str, fake: FakeUpstream, open_page: Open
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"text {at}" for at in range(40)))
    page = open_page(fake_address, "/completions/chatcmpl-1?limit=5")
    gate = hold_pages(fake)
    page.locator("[data-load-all]").click()
    page.locator("[data-stop]").click()
    page.locator("[data-load-all]").click()
    gate.set()
    expect(page.locator("#gap")).to_have_count(0)
    assert ids_on(page) == [f"chatcmpl-1-{at}" for at in range(40)]


def test_load_all_goes_on_beside_a_page_that_was_asked_for_before(
    fake_address: str, fake: FakeUpstream, open_page: Open
) -> None:
    """Whichever answer comes first takes the place, and messages are shown once."""
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"text {at}" for at in range(240)))
    page = open_page(fake_address, "/completions/chatcmpl-1?limit=5")
    gate = hold_pages(fake)
    page.locator("#gap .button").click()
    page.locator("[data-load-all]").click()
    gate.set()
    expect(page.locator("#gap")).to_have_count(0)
    expect(page.locator("#loading-all")).to_be_hidden()
    assert ids_on(page) == [f"chatcmpl-1-{at}" for at in range(240)]
    assert (
        page.locator(".page:not(.outputs)").evaluate_all(
            "pages => Math.max(...pages.map(page => page.children.length))"
        )
        == 20
    )


def test_load_all_ends_when_an_answer_brings_nothing(
    fake_address: str, fake: FakeUpstream, open_page: Open
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"text {at}" for at in range(40)))
    page = open_page(fake_address, "/completions/chatcmpl-1?limit=5")
    page.route("**/*after=*", lambda route: route.fulfill(status=204))
    with page.expect_response("**/*after=*"):
        page.locator("[data-load-all]").click()
    expect(page.locator("#loading-all")).to_be_hidden()
    page.unroute("**/*after=*")
    page.locator("[data-load-all]").click()
    expect(page.locator("#gap")).to_have_count(0)
    assert ids_on(page) == [f"chatcmpl-1-{at}" for at in range(40)]


def test_no_seam_is_seen_between_pages_of_the_list(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    lines = [
        {"id": f"chatcmpl-{day}", "created": day * 86_400, "messages": [], "choices": []}
        for day in range(1, 5)
    ]
    file = tmp_path / "days.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    load(file)
    page = open_page(address, "/completions?limit=2")
    page.locator("#more a").click()
    headings = page.locator(".day h2")
    expect(headings).to_have_count(4)
    first, *others = headings.evaluate_all(
        "all => all.map(one => getComputedStyle(one).paddingTop)"
    )
    assert first == "0px"
    assert len(set(others)) == 1
    assert others[0] != first
