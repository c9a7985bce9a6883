"""The gallery in the browser: every kind of bubble, at any width, in light and dark."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.support.browser.accessibility import SCHEMES, Scheme, violations
from tests.support.browser.boxes import box_problems, lay_out_all
from tests.support.browser.chromium import Open, keep_screenshot, load_images
from tests.support.browser.contrast import faint_texts
from tests.support.gallery import FOLDER, fixtures

GROUPS = sorted(path.name for path in FOLDER.iterdir())
LOOKS: Final[tuple[tuple[Scheme, int], ...]] = (
    ("light", 1280),
    ("dark", 768),
    ("light", 390),
)
RIGHT_TO_LEFT = [fixture for fixture in fixtures() if "right_to_left" in fixture.expected]


# Answers of many completions, one after the other on one page, have the same name.
SAME_NAMES: Final = ("landmark-unique",)
SHOW_SOURCES: Final = """() => {
    const source = new Event("readback:source", { bubbles: true });
    for (const bubble of document.querySelectorAll(".bubble")) bubble.dispatchEvent(source);
}"""


@pytest.mark.parametrize("group", GROUPS)
def test_every_bubble_is_accessible_whole_and_has_contrast(
    sample_address: str, look_at: Open, group: str
) -> None:
    """All that is looked at is on one page, since opening it costs as much as one look."""
    page = look_at(sample_address, f"/dev/gallery?group={group}")
    lay_out_all(page)
    assert violations(page, without=SAME_NAMES) == []
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert box_problems(page) == []
        keep_screenshot(page, f"gallery-{group}-{scheme}-{width}")
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true })")
    assert box_problems(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    for shown in ("as Markdown", "as source"):
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert faint_texts(page) == [], shown
        page.evaluate(SHOW_SOURCES)


def test_every_picture_is_shown(sample_address: str, look_at: Open) -> None:
    page = look_at(sample_address, "/dev/gallery?group=images")
    lay_out_all(page)
    load_images(page)
    for image in page.locator("main img").all():
        expect(image).to_have_js_property("complete", True)
    shown = page.eval_on_selector_all(
        "main [data-sample]:not([data-sample='images.cut-off']) img",
        "images => images.map(image => image.naturalWidth > 0)",
    )
    assert shown and all(shown)


def test_every_sound_can_be_played(sample_address: str, look_at: Open) -> None:
    page = look_at(sample_address, "/dev/gallery?group=audio")
    lay_out_all(page)
    players = page.locator("main audio:not(details audio)")
    assert players.count() >= 8
    for player in players.all():
        seconds = player.evaluate(
            """player => new Promise((resolve, reject) => {
                player.onloadedmetadata = () => resolve(player.duration);
                player.onerror = () => reject(player.error);
                player.preload = "metadata"; player.load();
            })"""
        )
        assert seconds > 0


def test_a_text_from_right_to_left_starts_at_the_right(sample_address: str, look_at: Open) -> None:
    page = look_at(sample_address, "/dev/gallery?group=scripts")
    lay_out_all(page)
    assert RIGHT_TO_LEFT
    for fixture in RIGHT_TO_LEFT:
        sample = page.locator(f"[data-sample='{fixture.name}'] .rendered")
        for text in fixture.expected["right_to_left"]:
            gaps = _gaps(page, sample.get_by_text(text).element_handle())
            assert gaps == ("rtl", True), fixture.name


def _gaps(page: Page, block: object) -> tuple[str, bool]:
    """The direction of a block, and whether its text keeps to the right side of it."""
    direction, left, right = page.evaluate(
        """block => {
            const range = document.createRange();
            range.selectNodeContents(block);
            const text = range.getBoundingClientRect();
            const box = block.getBoundingClientRect();
            const { direction } = getComputedStyle(block);
            return [direction, text.left - box.left, box.right - text.right];
        }""",
        block,
    )
    return direction, right <= left


@pytest.mark.parametrize("width", [390, 1280])
def test_marks_piled_on_a_letter_paint_over_no_other_bubble(
    sample_address: str, open_page: Open, width: int
) -> None:
    page = open_page(sample_address, "/dev/gallery?group=scripts")
    page.set_viewport_size({"width": width, "height": 900})
    lay_out_all(page)
    bubble = page.locator("[data-sample='scripts.tall-marks'] .bubble")
    bubble.scroll_into_view_if_needed()
    with_marks = _around(page, bubble)
    bubble.evaluate(
        """bubble => {
            const texts = document.createTreeWalker(bubble, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                const { currentNode } = texts;
                currentNode.data = currentNode.data.replace(/\\p{M}/gu, "");
            }
        }"""
    )
    assert _around(page, bubble) == with_marks


def _around(page: Page, bubble: Locator) -> list[bytes]:
    """What is seen directly above and below a bubble."""
    box = bubble.bounding_box()
    assert box is not None
    room, high = 6, 120
    above, below = box["y"] - room - high, box["y"] + box["height"] + room
    clips = (FloatRect(x=box["x"], y=y, width=box["width"], height=high) for y in (above, below))
    return [page.screenshot(clip=clip) for clip in clips]


def test_every_group_has_a_link(sample_address: str, open_page: Open) -> None:
    page = open_page(sample_address, "/dev/gallery")
    links = page.get_by_role("navigation", name="Groups").get_by_role("link")
    assert links.all_text_contents() == ["all", *GROUPS]
    links.filter(has_text="maths").click()
    expect(page.get_by_role("heading", level=2, name="maths")).to_be_visible()
