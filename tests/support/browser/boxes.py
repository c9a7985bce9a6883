"""The boxes of a page, walked in the browser: nothing cut, overlapping, sticking out or empty.

What a reader would call broken and no other test sees: a page or a box wider than its place,
text cut off by its box, boxes over each other, scrolling that no key reaches, text of no size.
What is off the screen is laid out as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

WALK: Final = Path(__file__).with_name("boxes.js").read_text(encoding="utf-8")

# Boxes that are cut on purpose: text for screen readers, the bar, whose title has the rest, the
# first words of a message in the outline, and the line of a closed call.
CUT_ON_PURPOSE: Final = (
    ".visually-hidden",
    ".skip",
    ".bar-id",
    ".bar-facts",
    ".outline-lines a",
    ".call-row > .call-name",
    ".row-arguments",
    ".glance dd",
)

# Sections off the screen have no layout of their own until they are needed. A sheet made by
# script is none that the page's policy asks about, so the policy stays in force.
LAY_OUT: Final = """(more = "") => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`.page { content-visibility: visible !important; } ${more}`);
    document.adoptedStyleSheets = [sheet];
}"""


def lay_out_all(page: Page) -> None:
    """Gives every box of the page its place, those off the screen included."""
    page.evaluate(LAY_OUT)


def lay_out_unseen(page: Page) -> None:
    """Give every box of all pages to come its place at once, and never paint them.

    Paint is what Chromium skips if a page is transparent as a whole; places stay the same.
    """
    page.add_init_script(f"({LAY_OUT})('html {{ opacity: 0 }}')")


def box_problems(page: Page) -> list[str]:
    """A sentence for every box that looks broken; the page must be laid out."""
    walked = page.evaluate(WALK, {"allowed": CUT_ON_PURPOSE})
    assert walked["texts"] > 0, "the page has no text"
    problems: list[str] = walked["problems"]
    return problems
