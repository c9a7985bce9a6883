"""The checker of boxes itself: it finds each kind of broken box, and leaves sound ones alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser.boxes import box_problems

SOUND = """
<style>
  .row { display: flex; gap: 1rem } .fold { overflow: clip }
  .scroll { overflow-x: auto; width: 10rem; white-space: pre }
</style>
<article class="bubble">
  <div class="row"><h2>heading</h2><p>some actions</p></div>
  <p>Text with <a href="#">a link that goes over more than one line of it</a> in it.</p>
  <pre class="scroll" tabindex="0">a line far longer than the box that scrolls it</pre>
  <details><summary>more</summary><p style="width: 9000px">behind a fold</p></details>
</article>
"""


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 600, "height": 400})
    yield context.new_page()
    context.close()


def problems(blank: Page, html: str) -> str:
    blank.set_content(f"<!doctype html><body>{html}")
    return "\n".join(box_problems(blank))


def test_sound_boxes_are_left_alone(blank: Page) -> None:
    assert problems(blank, SOUND) == ""


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("the page scrolls sideways", '<p style="width: 700px">wide</p>'),
        (
            "cut off",
            '<p style="width: 3rem; overflow: hidden; white-space: nowrap">a long line</p>',
        ),
        (
            "cut off",
            '<p style="width: 4rem; overflow: clip; text-overflow: ellipsis; white-space: nowrap">'
            "a long line</p>",
        ),
        ("cut off", '<p style="height: 1rem; overflow: clip">two<br>lines<br>or three</p>'),
        (
            "scrolls, and no key reaches it",
            '<pre style="width: 4rem; overflow: auto">a long line of text</pre>',
        ),
        (
            "overlaps",
            '<div style="display: flex"><b style="flex: none">one</b>'
            '<b style="flex: none; margin-left: -1rem">two</b></div>',
        ),
        ("overlaps", '<div>above</div><div style="margin-top: -1rem">below</div>'),
        (
            "sticks out of its bubble sideways",
            '<article class="bubble" style="width: 5rem"><p style="width: 9rem">x</p></article>',
        ),
        (
            "sticks out of its bubble below",
            '<article class="bubble" style="height: 1rem"><p>one</p><p>two</p></article>',
        ),
        ("its content sticks out", '<p style="width: 3rem">unbreakableunbreakable</p>'),
        ("text without a size", '<p style="font-size: 0">too small to read</p>'),
    ],
)
def test_a_broken_box_is_found(blank: Page, words: str, html: str) -> None:
    assert words in problems(blank, html)


def test_what_a_fold_shows_is_looked_at_and_what_it_hides_is_not(blank: Page) -> None:
    fold = """
    <style>
      .fold::details-content { content-visibility: visible }
      .fold:not([open]) > .fold-body { max-block-size: 3rem; overflow: hidden }
    </style>
    <details class="fold"><summary>+ 9 lines</summary><div class="fold-body"><p>seen</p>
    <div style="height: 9rem">cut</div>
    <div style="display: flex; width: 2rem">hidden <b style="margin-left: -2rem">over</b></div>
    </div></details>
    """
    assert problems(blank, fold) == ""
    shown = fold.replace("<p>seen</p>", '<p style="width: 2rem">unbreakableunbreakable</p>')
    assert "its content sticks out" in problems(blank, shown)
