"""Narrow windows, large text and absurd content: nothing sticks out sideways."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import FloatRect, Locator

from tests.support.browser.chromium import Open


@pytest.fixture
def absurd(load: Callable[[Path], None], tmp_path: Path) -> None:
    line = {
        "id": "chatcmpl-1",
        "model": "m" * 200,
        "created": 10**18,
        "usage": {"total_tokens": 10**40},
        "metadata": {"a-key-that-is-longer-than-its-value": "x", "k": "v" * 300},
        "messages": [{"role": "r" * 200, "name": "n" * 200, "content": "w" * 5000}],
        "choices": [{"index": 0, "finish_reason": "f" * 90, "message": {"content": "Yes."}}],
    }
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n")
    load(tmp_path / "one.jsonl")


@pytest.mark.usefixtures("absurd")
@pytest.mark.parametrize("path", ["/completions", "/completions/chatcmpl-1", "/nowhere"])
def test_nothing_sticks_out(address: str, open_page: Open, path: str) -> None:
    page = open_page(address, path, expected=("404",))
    for width, size in ((320, 16), (390, 16), (390, 32), (768, 32), (1280, 16)):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("size => (document.documentElement.style.fontSize = `${size}px`)", size)
        widest = page.evaluate(
            """() => Math.max(document.documentElement.scrollWidth,
                ...[...document.querySelectorAll("main *")]
                    .filter(one => !one.closest(".json, .wide, .visually-hidden, .bar"))
                    .map(one => one.getBoundingClientRect().right)) - innerWidth"""
        )
        assert widest <= 1, (width, size)
        count = page.locator(".bar-count")
        if size == 16 and count.count():
            box = count.bounding_box()
            assert box is not None and box["x"] + box["width"] <= width
            assert count.evaluate("one => one.scrollWidth <= one.clientWidth")


@pytest.mark.usefixtures("absurd")
def test_a_metadata_key_that_is_longer_than_its_value_stays_in_one_line(
    address: str, open_page: Open
) -> None:
    page = open_page(address, "/completions/chatcmpl-1")
    box = page.locator(".metadata dt").first.bounding_box()
    assert box is not None
    assert box["height"] < 30


def test_a_box_has_a_shade_at_the_side_where_its_lines_go_on(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    head = "|" + "|".join(f"column{at}" for at in range(12)) + "|"
    texts = {
        "code": f"```\n{'value + ' * 40}\n```",
        "table": f"{head}\n|{'-|' * 12}\n{head}",
        "short": "```\nshort\n```",
    }
    messages: list[dict[str, object]] = [
        {"role": "user", "content": text} for text in texts.values()
    ]
    call = {"id": "a", "type": "function", "function": {"name": "run", "arguments": "{}"}}
    error = "Traceback (most recent call last):\nValueError: x"
    messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
    messages.append({"role": "tool", "tool_call_id": "a", "content": error})
    line = {"id": "chatcmpl-1", "messages": messages, "choices": []}
    (tmp_path / "one.jsonl").write_text(json.dumps(line))
    load(tmp_path / "one.jsonl")
    page = open_page(address, "/completions/chatcmpl-1", width=390, javascript=False)

    def draw_corner(box: Locator) -> bytes:
        """Draw a corner of the padding, where no word is."""
        box.scroll_into_view_if_needed()
        place = box.bounding_box()
        assert place is not None
        x, y = place["x"] + place["width"] - 5, place["y"] + place["height"] - 9
        return page.screenshot(clip=FloatRect(x=x, y=y, width=3, height=3))

    schemes: tuple[Literal["none", "active"], ...] = ("active", "none")
    for colors in schemes:
        page.emulate_media(forced_colors=colors)
        long, short = (page.locator(f"#m-{number} .rendered pre") for number in (1, 3))
        assert draw_corner(long) != draw_corner(short)
        long.evaluate("one => one.scrollTo(one.scrollWidth, 0)")
        assert draw_corner(long) == draw_corner(short)
        long.evaluate("one => one.scrollTo(0, 0)")
    ground = "one => getComputedStyle(one).backgroundColor"
    for box, around in (("#m-2 .wide", "#m-2"), ("[data-error] .plain", "[data-error]")):
        assert page.locator(box).evaluate(ground) == page.locator(around).evaluate(ground)


@pytest.mark.parametrize(
    ("most", "short"),
    [("هذا جواب طويل بالعربية عن السؤال كله.", "A"), ("A long answer in English.", "نعم")],
)
def test_a_short_block_of_the_other_direction_begins_where_the_others_do(
    address: str,
    open_page: Open,
    load: Callable[[Path], None],
    tmp_path: Path,
    most: str,
    short: str,
) -> None:
    long = f"{short} " * 400
    message = {"role": "assistant", "content": f"{most * 100}\n\n{short}\n\n{long}"}
    line = {"id": "chatcmpl-1", "messages": [], "choices": [{"index": 0, "message": message}]}
    (tmp_path / "one.jsonl").write_text(json.dumps(line))
    load(tmp_path / "one.jsonl")
    page = open_page(address, "/completions/chatcmpl-1", width=1440)
    boxes = """blocks => blocks.map(block => {
        const { left, right } = block.getBoundingClientRect();
        return [getComputedStyle(block).direction, left, right];
    })"""
    (direction, *edges), (other, *short_edges), (_, *long_edges) = page.locator(
        ".output .rendered > p"
    ).evaluate_all(boxes)
    assert direction != other
    start = 1 if direction == "rtl" else 0
    assert short_edges[start] == edges[start]
    assert abs(short_edges[1 - start] - edges[1 - start]) > 400
    assert long_edges == edges
