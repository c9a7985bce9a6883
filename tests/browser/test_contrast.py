"""Every text has contrast: on the list and errors, and on bubbles in `test_gallery`.

Computed from the colours that the browser renders, so that no token, colour of code or of a
terminal is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser.accessibility import SCHEMES, Scheme
from tests.support.browser.chromium import Open
from tests.support.browser.contrast import faint_texts


@pytest.fixture(scope="module")
def blank(still_browser: Browser) -> Iterator[Page]:
    page = still_browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/completions", ()),
        ("/completions?model=gpt-4o&metadata[a]=b", ()),
        ("/completions/no-such-completion", ("404",)),
        ("/completions?limit=x", ("400",)),
        ("/nowhere", ("404",)),
    ],
)
def test_every_text_of_other_pages_has_contrast(
    sample_address: str, look_at: Open, path: str, expected: tuple[str, ...]
) -> None:
    page = look_at(sample_address, path, expected=expected)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert faint_texts(page) == []


def test_every_text_around_a_transcript_has_contrast(sample_address: str, look_at: Open) -> None:
    page = look_at(sample_address, "/completions?limit=100")
    row = page.locator(".row", has_text="Pier Supplies").first.locator(".row-link")
    page.goto(f"{sample_address}{row.get_attribute('href')}")
    here = page.url
    message = page.locator("[data-message-id]").nth(1).get_attribute("data-message-id")
    for path in ("", f"/messages/{message}", f"/messages/{message}/json", "/json"):
        page.goto(f"{here}{path}")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert faint_texts(page) == [], path


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_message_just_found_has_contrast_on_its_highlight(
    sample_address: str, look_at: Open, scheme: Scheme
) -> None:
    page = look_at(sample_address, "/dev/gallery?group=code")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    anchors = page.eval_on_selector_all(".bubble", "bubbles => bubbles.map(one => one.id)")
    for anchor in anchors:
        page.goto(f"{sample_address}/dev/gallery?group=code#{anchor}")
        assert faint_texts(page, f"#{anchor}") == []


PLAIN = "<!doctype html><style>html { background: white; color: black }</style>"


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color: #777">just below</p>',
        '<p style="color: #00000060">see-through ink</p>',
        '<div style="background: #000a"><p style="color: #555">on a see-through ground</p></div>',
        '<div style="opacity: 0.4"><p>faded</p></div>',
        '<style>p::before { content: "label"; color: #bbb }</style><p></p>',
        '<style>::placeholder { color: #ccc }</style><input placeholder="faint">',
        "<details><summary>fold</summary><p style='color: #ddd'>behind it</p></details>",
        '<p style="color: oklch(0.8 0 0)">a colour of another kind</p>',
        '<button disabled style="color: #aaa; background: #fff">disabled</button>',
    ],
)
def test_a_faint_text_is_found(blank: Page, html: str) -> None:
    blank.set_content(PLAIN + html)
    assert len(faint_texts(blank)) == 1


def test_texts_with_contrast_are_left_alone(blank: Page) -> None:
    blank.set_content(
        PLAIN + '<p style="color: #767676">just enough</p>'
        '<h1 style="font-size: 24px; color: #949494">large</h1>'
        '<div style="background: #000"><p style="color: #999">on dark</p></div>'
    )
    assert faint_texts(blank) == []
