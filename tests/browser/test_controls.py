"""The small controls of a bubble: source, copy, JSON; and the keyboard's way through the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser.chromium import Open, open_menu, wait_for_scripts
from tests.support.long_transcripts import write_completion

TEXT = "# Title\n\n**bold**  and `code`\n"
SAME = "Text  as it is <written>,\nin two lines."


@pytest.fixture
def loaded(load: Callable[[Path], None], tmp_path: Path) -> str:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages: list[Any] = [
        *({"role": "user", "content": text} for text in (TEXT, TEXT, SAME)),
        {"role": "assistant", "content": SAME, "tool_calls": [call]},
        *({"role": "tool", "tool_call_id": "call_1", "content": text} for text in (TEXT, SAME)),
    ]
    line = {
        "id": "chatcmpl-1",
        "messages": messages,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}}],
    }
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n")
    load(tmp_path / "one.jsonl")
    return "/completions/chatcmpl-1"


@pytest.mark.parametrize("javascript", [True, False])
def test_the_switch_shows_the_source_of_one_message(
    address: str, open_page: Open, loaded: str, javascript: bool
) -> None:
    page = open_page(address, loaded, javascript=javascript)
    first = page.locator("#m-1")
    title = first.get_by_role("heading", name="Title")
    expect(title).to_be_visible()
    expect(first.locator(".source")).to_be_hidden()
    second_title = page.locator("#m-2").get_by_role("heading", name="Title")
    # Without a script, the menu is the page of the message alone.
    open_menu(first)
    first.get_by_label("source").check()
    expect(title).to_be_hidden()
    assert first.locator(".source").text_content() == TEXT
    expect(second_title).to_be_visible(visible=javascript)


def test_copy_takes_the_source(address: str, open_page: Open, loaded: str) -> None:
    page = open_page(address, loaded)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    # The text of a message is without those of the results below it.
    for number, text in ((1, TEXT), (3, SAME), (4, SAME)):
        page.locator(f"#m-{number} > .bubble-head [data-copy-text]").click()
        expect(page.locator(f"#m-{number} > .bubble-head [data-said=copied]")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == text


def test_json_opens_below_the_message(address: str, open_page: Open, loaded: str) -> None:
    page = open_page(address, loaded)
    for _ in range(2):
        open_menu(page.locator("#m-1"))
        page.locator("#m-1").get_by_role("link", name="JSON").click()
        expect(page.locator("#m-1 .raw pre")).to_contain_text('"role": "user"')
        expect(page.locator("#m-1 .raw pre")).to_have_count(1)
    assert page.url.endswith(loaded)


def test_one_menu_is_open_however_fast_they_are_clicked(
    address: str, open_page: Open, loaded: str
) -> None:
    page = open_page(address, loaded)
    menus = "document.querySelectorAll('.menu > summary, .menu-link')"
    click_all = f"for (const one of {menus}) one.click()"
    shown = page.locator(".menu-items:visible")
    # The scripts come after these clicks.
    page.evaluate(click_all)
    wait_for_scripts(page)
    expect(shown).to_have_count(1)
    page.evaluate(click_all)
    expect(shown).to_have_role("dialog")
    link = shown.get_by_role("link", name="copy link")
    expect(link).to_have_attribute("href", f"{loaded}/messages/chatcmpl-1-5#choice-0")
    page.locator("#m-1 .parts").first.click()
    expect(shown).to_have_count(0)


def test_a_menu_is_reached_closed_and_lost_by_the_keyboard(
    address: str, open_page: Open, loaded: str
) -> None:
    page = open_page(address, loaded, expected=("Failed to load resource",))
    link = page.get_by_role("link", name="More for message 2")
    link.press("Enter")
    items = page.get_by_role("dialog", name="More for message 2")
    expect(items).to_contain_text("redacted text")
    ends = "one => Math.round(one.getBoundingClientRect().right)"
    assert items.evaluate(ends) == link.evaluate(ends)
    page.keyboard.press("Tab")
    expect(items.get_by_role("link", name="copy link")).to_be_focused()
    page.keyboard.press("Escape")
    expect(items).to_have_count(0)
    expect(link).to_be_focused()

    page.context.set_offline(True)
    link = page.get_by_role("link", name="More for message 1")
    link.press("Enter")
    expect(page.locator("#m-1 .menu-items")).to_have_text(
        "Could not load: Readback did not answer. Try again."
    )
    link.press("Enter")
    expect(page.locator(".menu-items:visible")).to_have_count(0)
    page.context.set_offline(False)
    link.press("Enter")
    expect(page.locator("#m-1 .menu-items")).to_contain_text("redacted text")


def test_json_is_a_page_without_javascript(address: str, open_page: Open, loaded: str) -> None:
    page = open_page(address, loaded, javascript=False)
    open_menu(page.locator("#m-1"))
    page.locator("#m-1").get_by_role("link", name="JSON").click()
    expect(page.locator("pre.json")).to_contain_text('"role": "user"')
    page.get_by_text("Back to the transcript").click()
    expect(page.locator("#m-1")).to_be_visible()


def test_everything_is_reached_by_the_keyboard_and_shows_its_focus(
    address: str, open_page: Open, loaded: str
) -> None:
    page = open_page(address, loaded)
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("(document.activeElement.textContent || '').trim()"))
        style = page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
                return style.outlineStyle + style.outlineWidth; }"""
        )
        if page.evaluate("document.activeElement === document.body"):
            break
        assert style not in ("none0px", "solid0px"), reached[-1]
    for control in ("Skip to the content", "Readback", "Open", "Search", "copy", "⋯"):
        assert control in reached


OVERLAPS = """() => {
    const parts = [...document.querySelectorAll(
        '.bar-back, .bar-id, .bar-facts > *, .bar-tools a, .bar-tools .menu, #place')]
        .filter(one => one.checkVisibility())
        .map(one => [one.textContent.trim(), one.getBoundingClientRect()])
        .filter(([, { width, top }]) => width && top < 48);
    return parts.flatMap(([name, a], at) => parts.slice(at + 1)
        .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
        .map(([other]) => `${name} / ${other}`));
}"""
"""Pairs of the parts of the bar that lie on each other."""


@pytest.mark.parametrize("width", [390, 1040, 1440])
def test_the_bar_stays_and_is_no_higher_than_48_pixels(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path, width: int
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 30))
    page = open_page(address, "/completions/chatcmpl-long", width=width)
    page.mouse.wheel(0, 1500)
    page.wait_for_function("() => scrollY > 500")
    box = page.locator(".bar").bounding_box()
    assert box is not None
    assert box["y"] == pytest.approx(0, abs=1)
    assert box["height"] <= 48
    # The place of the reader has come beside the links: nothing lies on something else.
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("width", [390, 1440])
def test_a_chip_of_the_list_is_one_line_that_begins_with_its_key(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path, width: int
) -> None:
    path = write_completion(tmp_path / "long.jsonl", 3)
    metadata = {"team": "a long name of a team", "eval": "v" * 200, "run": "2026-11-18"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metadata": metadata}) + "\n")
    load(path)
    page = open_page(address, "/completions", width=width)
    chips = page.locator(".row .chip")
    expect(chips).to_have_count(3)
    for chip, key in zip(chips.all(), metadata, strict=True):
        lines = chip.evaluate("""chip => {
            const [key, value] = chip.querySelectorAll('bdi');
            return [key.getBoundingClientRect().top, value.getBoundingClientRect().top,
                    key.scrollWidth - key.clientWidth];
        }""")
        assert lines[0] == pytest.approx(lines[1], abs=3), key
        assert lines[2] <= 0, f"{key} is cut off"


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_a_question_goes_on_below_its_marks(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path, width: int
) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "shell", "arguments": "{}"}}
    asked = {"role": "user", "content": "Why is the ferry late? " * 30}
    called = {"role": "assistant", "tool_calls": [call]}
    lines = [
        {"id": f"chatcmpl-{at}", "created": 1_760_000_000 + at, "messages": messages, "choices": []}
        for at, messages in enumerate(([asked], [asked, called]))
    ]
    path = tmp_path / "two.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    load(path)
    page = open_page(address, "/completions?flat=1", width=width)
    questions = page.locator(".question")
    expect(questions).to_have_count(2)
    mark, first, second = page.evaluate("""() => {
        const row = document.querySelector('.asked:has(> .mark)');
        const lines = row.querySelector('.question').getClientRects();
        const end = row.getBoundingClientRect().bottom;
        return [row.querySelector('.mark').getBoundingClientRect(), lines[0], lines[1]]
            .map(({ left, right, bottom }) => ({ left, right, bottom, end }));
    }""")
    assert first["left"] > mark["right"]
    assert second["left"] == pytest.approx(mark["left"], abs=1)
    assert second["bottom"] <= second["end"] + 1


LONG_QUESTION = "i want to know " * 10


@pytest.mark.parametrize(
    ("width", "asked", "characters"),
    [
        (768, LONG_QUESTION, 60),
        (1440, LONG_QUESTION, 95),
        (1920, LONG_QUESTION, 95),
        (1440, "ما هذا؟", 7),
    ],
)
def test_a_title_is_shown_as_far_as_the_window_has_room(
    address: str,
    open_page: Open,
    load: Callable[[Path], None],
    tmp_path: Path,
    width: int,
    asked: str,
    characters: int,
) -> None:
    path = write_completion(tmp_path / "long.jsonl", 30)
    path.write_text(path.read_text().replace("Message 1.", asked, 1))
    load(path)
    page = open_page(address, "/completions/chatcmpl-long", width=width)
    title = page.locator(".bar-id")
    shown = title.evaluate("one => one.clientWidth / one.scrollWidth * one.textContent.length")
    assert shown >= characters
    back = page.locator(".bar-back > span:last-child")
    expect(back).to_have_text("Completions")
    right = back.evaluate("one => one.getBoundingClientRect().right")
    assert 0 < title.evaluate("one => one.getBoundingClientRect().left") - right < 20


def test_in_a_narrow_window_the_tools_of_the_bar_are_the_short_ones(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 30))
    page = open_page(address, "/completions/chatcmpl-long", width=768)
    tools = page.locator(".bar-tools")
    older = tools.get_by_title("The completion below in the list")
    expect(tools.get_by_role("link", name="Print", exact=True)).to_be_hidden()
    expect(tools.get_by_role("link", name="Search", exact=True)).to_be_hidden()
    expect(older).to_have_accessible_name("The completion below in the list")
    tools.get_by_text("Download", exact=True).click()
    expect(tools.get_by_role("link", name="PDF, by printing")).to_be_visible()
    page.set_viewport_size({"width": 1160, "height": 900})
    expect(tools.get_by_role("link", name="PDF, by printing")).to_be_hidden()
    expect(tools.get_by_role("link", name="Print", exact=True)).to_be_visible()
    expect(older).to_have_accessible_name("Older ›")


@pytest.mark.parametrize("view", ["compact", "full"])
def test_a_finger_finds_every_control_of_a_head(
    browser: Browser, address: str, load: Callable[[Path], None], tmp_path: Path, view: str
) -> None:
    function = {"name": "look", "arguments": '{"at": 1}'}
    call = {"id": "call_1", "type": "function", "function": function}
    line = {
        "id": "chatcmpl-1",
        "tools": [{"type": "function", "function": {"name": "look", "description": "Looks."}}],
        "messages": [
            {"role": "user", "content": "Look."},
            {"role": "assistant", "content": "I look.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "fine"},
        ],
        "choices": [],
    }
    (tmp_path / "one.jsonl").write_text(json.dumps(line))
    load(tmp_path / "one.jsonl")
    context = browser.new_context(base_url=address, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"/completions/chatcmpl-1?view={view}")
    page.locator("details.call").evaluate_all("all => all.forEach(one => (one.open = true))")
    page.locator(".call .menu-link").first.click()
    expect(page.locator(".menu-items:visible")).to_contain_text("definition")
    small = page.evaluate("""() => [...document.querySelectorAll(
            ":is(.bubble-head, .call-head) :is(a, button, summary, label), .call-row"
        )].filter(one => one.checkVisibility()).map(one => {
            const { width, height } = one.getBoundingClientRect();
            return [one.textContent.trim(), width, height];
        }).filter(([, width, height]) => width < 44 || height < 40)""")
    gap = page.locator("#m-3 > .bubble-head").evaluate("""head => {
        const [number, role] = head.querySelectorAll(".number, .role");
        return role.getBoundingClientRect().left - number.getBoundingClientRect().right;
    }""")
    context.close()
    assert small == []
    assert gap > 2
