"""Tool calls in a real browser: side by side, switched to exact text, marked where they break."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.support.browser.chromium import Open, open_menu

HERE = "/completions/chatcmpl-1"


def call(number: int, arguments: str) -> dict[str, Any]:
    function = {"name": f"mcp__server__tool_{number}", "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


@pytest.fixture
def called(load: Callable[[Path], None], tmp_path: Path) -> None:
    """Three short calls with results, then a broken one, a nested one, and a terminal's output."""
    deep = json.dumps({"a": {"b": [{"c": "w" * 400}]}})
    short = [call(number, f'{{"n":{number}.0}}') for number in range(3)]
    answers = [
        {"role": "tool", "tool_call_id": f"call_{number}", "content": f"found {number}"}
        for number in range(3)
    ]
    coloured = "".join(f"\x1b[{code}m color {code} \x1b[0m" for code in range(30, 48)) * 9
    line = {
        "id": "chatcmpl-1",
        "messages": [
            {"role": "assistant", "content": None, "tool_calls": short},
            *answers,
            {
                "role": "assistant",
                "tool_calls": [call(3, '{"a":\t"日本日本日本"x}'), call(4, deep)],
            },
            {"role": "tool", "tool_call_id": "call_3", "content": coloured},
            {"role": "tool", "tool_call_id": "call_4", "content": "a,b,c\n" + "1,2,3\n" * 60},
        ],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}}],
    }
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n")
    load(tmp_path / "one.jsonl")


def box(found: Locator) -> FloatRect:
    there = found.bounding_box()
    assert there is not None
    return there


@pytest.mark.usefixtures("called")
def test_short_calls_stand_side_by_side_where_there_is_room(address: str, open_page: Open) -> None:
    wide = open_page(address, HERE, width=1280).locator("#m-1 .call")
    first, second, third = (box(wide.nth(at)) for at in range(3))
    assert first["y"] == second["y"]
    assert first["x"] + first["width"] < second["x"]
    assert third["y"] >= first["y"] + first["height"]
    narrow = open_page(address, HERE, width=390).locator("#m-1 .call")
    first, second, third = (box(narrow.nth(at)) for at in range(3))
    assert first["x"] == second["x"] == third["x"]
    assert first["y"] < second["y"] < third["y"]


@pytest.mark.usefixtures("called")
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_switch_shows_the_exact_arguments(address: str, open_page: Open, scripts: bool) -> None:
    page = open_page(address, HERE, javascript=scripts)
    found = page.locator("#m-5-call-2")
    exact, tree = found.locator("pre.exact"), found.locator(".readable")
    assert (exact.is_visible(), tree.is_visible()) == (False, True)
    open_menu(found)
    found.locator("[data-source-switch]").check()
    assert (exact.is_visible(), tree.is_visible()) == (True, False)


@pytest.mark.usefixtures("called")
def test_the_caret_stands_under_the_wrong_character(address: str, open_page: Open) -> None:
    page = open_page(address, HERE)
    mark = page.locator(".wrong-place mark")
    assert mark.text_content() == "x"
    line, character = box(page.locator(".wrong-place")), box(mark)
    # A tab, wide characters and quotes stand in front: more than their number of columns.
    assert character["x"] - line["x"] > character["width"] * 15
    caret = mark.evaluate("one => getComputedStyle(one, '::after').insetInlineStart")
    assert caret == "0px"


@pytest.mark.usefixtures("called")
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_call_is_wider_than_its_page(address: str, open_page: Open, width: int) -> None:
    page = open_page(address, HERE, width=width)
    widest = page.evaluate(
        """() => Math.max(document.documentElement.scrollWidth,
            ...[...document.querySelectorAll("main *")]
                .filter(one => !one.closest("pre, .wide, .visually-hidden, .bar"))
                .map(one => one.getBoundingClientRect().right)) - innerWidth"""
    )
    assert widest <= 1


@pytest.fixture
def divided(load: Callable[[Path], None], tmp_path: Path) -> None:
    """Calls with results behind one message, so that a page of 20 ends with a call."""
    turns = [
        message
        for number in range(30)
        for message in (
            {"role": "assistant", "content": None, "tool_calls": [call(number, "{}")]},
            {"role": "tool", "tool_call_id": f"call_{number}", "content": f"found {number}"},
        )
    ]
    messages = [{"role": "user", "content": "Find them."}, *turns]
    line = {"id": "chatcmpl-1", "messages": messages, "choices": []}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n")
    load(tmp_path / "one.jsonl")


@pytest.mark.usefixtures("divided")
@pytest.mark.parametrize("query", ["", "?order=desc", "?all=1"])
def test_a_call_and_its_result_on_different_pages_are_joined_when_both_are_there(
    address: str, open_page: Open, query: str
) -> None:
    page = open_page(address, f"{HERE}{query}")
    further = page.locator(":is(#gap, #more) .button")
    while further.count():
        known = page.locator(".bubble").count()
        further.click()
        expect(page.locator(".bubble")).not_to_have_count(known)
    expect(page.locator("[data-waits], [data-answers]")).to_have_count(0)
    text = page.locator("main").text_content() or ""
    assert "loaded with it" not in text
    assert "No message gives a result" not in text
    assert page.locator(".call > .result > .bubble").count() == 30
    for stub in page.locator(".stub").all():
        message = page.locator(stub.locator("a").get_attribute("href") or "")
        called = message.locator("xpath=ancestor::*[contains(@class, 'call')][1]")
        name = called.locator(".call-name").text_content() or "no name"
        assert name in (stub.text_content() or "")
