"""Every sample completion in the browser: nothing breaks, leaks or sticks out, at any width."""

from __future__ import annotations

from typing import Final, Literal

import pytest
from playwright.sync_api import expect

from tests.support.browser.chromium import Open, keep_screenshot, load_images
from webapp.embedded.samples import SAMPLES
from webapp.exact_json import Object, parse

NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))


def sample(name: str) -> Object:
    value = parse((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(value, Object)
    return value


LOOKS: Final[tuple[tuple[Literal["light", "dark"], int], ...]] = (("light", 1280), ("dark", 390))
"""Each width once: the colour schemes differ in colours alone."""


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_shown_whole(sample_address: str, look_at: Open, name: str) -> None:
    completion = sample(name)
    path = f"/completions/{completion.text('id')}?all=1"
    page = look_at(sample_address, path)
    messages = completion.items("messages") or ()
    expect(page.locator("main .bubble[data-message-id]")).to_have_count(len(messages))
    load_images(page)
    for image in page.locator("img").all():
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 0
    for audio in page.locator("audio").all():
        seconds = audio.evaluate(
            """audio => new Promise((resolve, reject) => {
                audio.onloadedmetadata = () => resolve(audio.duration);
                audio.onerror = () => reject(audio.error);
                audio.preload = "metadata"; audio.load();
            })"""
        )
        assert seconds > 0
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep_screenshot(page, f"{name}-{scheme}-{width}")


def test_the_list_shows_every_sample(sample_address: str, look_at: Open) -> None:
    page = look_at(sample_address, "/completions?limit=100")
    expect(page.locator(".row-link")).to_have_count(len(NAMES))
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep_screenshot(page, f"list-{scheme}-{width}")
