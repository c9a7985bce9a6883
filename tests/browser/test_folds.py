"""Folds in the browser: the size is told, and whoever looks for hidden text gets it opened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser.chromium import Open, open_menu
from tests.support.fake_upstream import Json
from tests.support.serving import serve
from tools.store_rows import database_url, jsonl
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, import_files

HERE = "/completions/chatcmpl-1"
LINES = [f"line {at}" for at in range(100)]
MARKED = [*LINES[:80], "the zebrafish [swims](https://fish.example/)", *LINES[80:]]
CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
MESSAGES: list[Json] = [
    {"role": "system", "content": "\n".join(LINES)},
    {"role": "user", "content": "  \n".join(MARKED)},
    {"role": "assistant", "content": "\n".join(LINES), "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "\n".join(LINES)},
    {"role": "user", "content": "*Short.*"},
]
BEYOND = "The end of the story."


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an application that holds a transcript of folds, and one long text."""
    folder = tmp_path_factory.mktemp("folds")
    sentence = "It was told at length. " * 80
    story = "".join(f"Paragraph {at}. {sentence}\n\n" for at in range(140))
    answer = {"role": "assistant", "content": "\n".join(LINES)}
    choice = {"index": 0, "message": answer, "finish_reason": "stop"}
    lines = [
        {"id": "chatcmpl-1", "messages": MESSAGES, "choices": [choice]},
        {
            "id": "chatcmpl-2",
            "messages": [{"role": "user", "content": story + BEYOND}],
            "choices": [choice],
        },
    ]
    url = database_url(folder)
    with closing(Store(url)) as store:
        import_files(store, [jsonl(folder / "folds.jsonl", map(json.dumps, lines))])
    with serve(create_app(Config(database_url=url))) as base_url:
        yield base_url


def fold(page: Page, anchor: str) -> Locator:
    return page.locator(f"#{anchor} > .parts > .fold")


def in_view(text: Locator) -> bool:
    """Whether a text stands where a reader sees it: in the window, clipped by nothing."""
    return bool(
        text.evaluate(
            """node => {
                const { left, top, height } = node.getBoundingClientRect();
                const found = document.elementFromPoint(left + 2, top + height / 2);
                return found === node || node.contains(found);
            }"""
        )
    )


@pytest.mark.parametrize("javascript", [True, False])
def test_a_long_text_is_folded_and_tells_the_size_of_the_rest(
    open_page: Open, held: str, javascript: bool
) -> None:
    page = open_page(held, HERE, javascript=javascript)
    for anchor, lines, told in (
        ("m-1", 15, "+ 85 lines, 679 bytes"),
        ("m-2", 15, "+ 86 lines"),
        ("m-3", 25, "+ 75 lines, 599 bytes"),
        ("m-4", 15, "+ 83 lines"),
    ):
        folded = page.locator(f"#{anchor} > .parts > .fold").first
        expect(folded.locator("summary")).to_contain_text(told)
        body = folded.locator(".fold-body")
        height, line = body.evaluate(
            "node => [node.clientHeight, parseFloat(getComputedStyle(node).lineHeight)]"
        )
        assert height == pytest.approx(lines * line, abs=8), anchor
        folded.locator("summary").click()
        expect(folded).to_have_attribute("open", "")
        assert body.evaluate("node => node.scrollHeight <= node.clientHeight"), anchor
        expect(folded.locator("summary")).to_contain_text("Show less")
        folded.locator("summary").click()
        assert body.evaluate("node => node.clientHeight") == height, anchor


def test_the_last_answer_is_open(open_page: Open, held: str) -> None:
    page = open_page(held, HERE)
    expect(page.locator("#choice-0 .fold")).to_have_count(0)
    expect(page.locator("#choice-0")).to_contain_text("line 99")


def test_a_link_to_words_opens_the_fold_there(open_page: Open, held: str) -> None:
    page = open_page(held, f"{HERE}#:~:text=zebrafish")
    expect(fold(page, "m-2")).to_have_attribute("open", "")
    expect(page.locator("#m-2 a", has_text="swims")).to_be_in_viewport()
    assert in_view(page.locator("#m-2 a", has_text="swims"))
    expect(fold(page, "m-1")).not_to_have_attribute("open", "")


def test_the_keyboard_opens_the_fold_it_goes_into(open_page: Open, held: str) -> None:
    page = open_page(held, HERE)
    link = page.locator("#m-2 a", has_text="swims")
    assert not in_view(link)
    fold(page, "m-2").locator("summary").focus()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    expect(fold(page, "m-2")).to_have_attribute("open", "")
    assert in_view(link)


def test_the_keyboard_sees_where_it_is_without_javascript(open_page: Open, held: str) -> None:
    page = open_page(held, HERE, javascript=False)
    link = page.locator("#m-2 .rendered a", has_text="swims")
    fold(page, "m-2").locator("summary").focus()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()


def test_a_message_that_is_linked_to_is_open(open_page: Open, held: str) -> None:
    page = open_page(held, f"{HERE}/messages/chatcmpl-1-1")
    expect(fold(page, "m-2")).to_have_attribute("open", "")
    expect(fold(page, "m-3")).not_to_have_attribute("open", "")


def test_closing_a_long_fold_at_its_end_keeps_it_in_view(open_page: Open, held: str) -> None:
    page = open_page(held, HERE)
    summary = fold(page, "m-2").locator("summary")
    summary.click()
    summary.scroll_into_view_if_needed()
    summary.click()
    expect(summary).to_be_in_viewport()


def test_on_paper_everything_is_open(open_page: Open, held: str) -> None:
    page = open_page(held, HERE)
    page.emulate_media(media="print")
    for body in page.locator(".fold-body").all():
        assert body.evaluate("node => node.scrollHeight <= node.clientHeight")
    expect(page.locator(".fold > summary").first).to_be_hidden()


def test_folds_do_not_make_a_page_wider(open_page: Open, held: str) -> None:
    page = open_page(held, HERE)
    for summary in page.locator(".fold > summary").all():
        summary.click()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


@pytest.mark.parametrize("javascript", [True, False])
def test_a_text_of_many_parts_is_read_to_its_end(
    open_page: Open, held: str, javascript: bool
) -> None:
    page = open_page(held, "/completions/chatcmpl-2", javascript=javascript)
    fold(page, "m-1").locator("summary").click()
    expect(page.locator("#m-1")).to_contain_text("of 260 kB shown")
    page.get_by_role("link", name="Next part").click()
    expect(page.locator("#m-1 .rendered", has_text=BEYOND)).to_be_visible()
    expect(page.get_by_role("link", name="Next part")).to_have_count(0)
    if javascript:
        assert page.url.endswith("/completions/chatcmpl-2")
        expect(page.locator("#m-1 .source")).to_have_count(2)
        return
    page.get_by_role("link", name="Back to the transcript").click()
    expect(page.locator("#m-1")).to_be_visible()


def test_copying_says_when_the_message_goes_on(open_page: Open, held: str) -> None:
    page = open_page(held, "/completions/chatcmpl-2")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fold(page, "m-1").locator("summary").click()
    copy = page.locator("#m-1").get_by_role("button", name="copy")
    copy.click()
    expect(page.locator("#status")).to_have_text("Copied the part shown; the message goes on.")
    page.get_by_role("link", name="Next part").click()
    expect(page.locator("#m-1 .source")).to_have_count(2)
    page.locator("#m-1 [data-copy-text]").click()
    expect(page.locator("#status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Paragraph 0. It was told at length.")
    assert copied.endswith(f"\n\n{BEYOND}")
    assert copied.count("\n") == 280


def test_the_switch_to_the_source_is_remembered(open_page: Open, held: str) -> None:
    page = open_page(held, HERE)
    open_menu(page.locator("#m-5"))
    page.locator("#m-5").get_by_label("source").check()
    open_menu(page.locator("#m-2"))
    page.locator("#m-2").get_by_label("source").check()
    page.locator("#m-2").get_by_label("source").uncheck()
    page.reload()
    for number, is_source in ((5, True), (2, False)):
        open_menu(page.locator(f"#m-{number}"))
        expect(page.locator(f"#m-{number}").get_by_label("source")).to_be_checked(checked=is_source)
        expect(page.locator(f"#m-{number} .source").first).to_be_visible(visible=is_source)


def test_a_block_of_code_is_copied_as_it_is(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    code = "def f():\n\treturn '\u202e'\n"
    message = {"role": "user", "content": f"Look:\n\n```python\n{code}```\n"}
    line = {"id": "chatcmpl-3", "messages": [message], "choices": []}
    (tmp_path / "code.jsonl").write_text(json.dumps(line))
    load(tmp_path / "code.jsonl")
    page = open_page(address, "/completions/chatcmpl-3")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#m-1 [data-copy-code]").click()
    expect(page.locator("#status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == code.removesuffix("\n")
    expect(page.locator("#m-1 .rendered .control")).to_have_attribute("data-mark", "U+202E RLO")
