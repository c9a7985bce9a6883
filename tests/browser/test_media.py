"""Images and sounds in the browser: shown, played, sought in, and nothing jumps."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser.chromium import Open
from tests.support.fake_upstream import Json
from tests.support.media_files import images, samples, sounds

ID = "chatcmpl-media"
HERE = f"/completions/{ID}"

Tell = Callable[..., str]


@pytest.fixture
def tell(load: Callable[[Path], None], tmp_path: Path) -> Tell:
    """Stores a completion of one message with these parts; gives its page."""

    def stored(*parts: Json, **answer: object) -> str:
        choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."} | answer}
        messages = [{"role": "user", "content": list(parts)}]
        line = {"id": ID, "messages": messages, "choices": [choice]}
        (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n")
        load(tmp_path / "one.jsonl")
        return HERE

    return stored


def image(data: bytes) -> Json:
    encoded = base64.b64encode(data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}


def sound(data: bytes, kind: str) -> Json:
    encoded = base64.b64encode(data).decode()
    return {"type": "input_audio", "input_audio": {"data": encoded, "format": kind}}


def widths(page: Page) -> list[int]:
    found: list[int] = page.eval_on_selector_all(
        ".media img", "all => all.map(one => one.naturalWidth)"
    )
    return found


def test_an_image_of_every_format_is_shown(address: str, open_page: Open, tell: Tell) -> None:
    page = open_page(address, tell(*(image(data) for data in images().values())))
    page.wait_for_function("() => [...document.images].every(one => one.complete)")
    assert widths(page) == [480, 480, 48, 480, 64]


def test_nothing_jumps_when_images_come(address: str, open_page: Open, tell: Tell) -> None:
    page = open_page(address, "/completions")
    page.add_init_script(
        "window.jumps = 0; new PerformanceObserver(list => {"
        " for (const jump of list.getEntries()) window.jumps += jump.value;"
        "}).observe({type: 'layout-shift', buffered: true});"
    )
    text = {"type": "text", "text": "Below the pictures.\n\n" * 10}
    path = tell(*(image(data) for data in images().values()), text)
    held: list[Route] = []
    free: list[bool] = []
    page.route("**/media/*", lambda route: route.continue_() if free else held.append(route))
    page.goto(f"{address}{path}", wait_until="domcontentloaded")
    page.wait_for_function("() => document.images.length === 5")
    below = page.locator("#m-1 .text").bounding_box()
    while len(held) < 4:
        page.evaluate("new Promise(requestAnimationFrame)")
    free.append(True)
    for route in held:
        route.continue_()
    page.wait_for_function("() => [...document.images].every(one => one.naturalWidth > 0)")
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.locator("#m-1 .text").bounding_box() == below
    assert page.evaluate("window.jumps") == 0


def test_pictures_of_one_message_stand_side_by_side(
    address: str, open_page: Open, tell: Tell
) -> None:
    path = tell(image(images()["gif"]), image(images()["avif"]))
    wide = open_page(address, path)
    tops = wide.eval_on_selector_all(
        ".media", "all => all.map(one => one.getBoundingClientRect().top)"
    )
    assert tops[0] == tops[1]
    narrow = open_page(address, path, width=320)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_full_size_is_one_click_away(address: str, open_page: Open, tell: Tell) -> None:
    # Chromium's own page around an image has a style, and sometimes runs a script.
    own = ("Applying inline style", "Blocked script execution")
    page = open_page(address, tell(image(images()["png"])), expected=own)
    page.get_by_role("link", name="full size").click()
    expect(page.locator("img")).to_have_js_property("naturalWidth", 480)


def ready(page: Page) -> None:
    """Waits until the browser knows the sound, or that it cannot play it."""
    page.locator("audio").evaluate("audio => { audio.preload = 'auto' }")
    page.wait_for_function(
        "() => { const { readyState, error } = document.querySelector('audio');"
        " return readyState >= 1 || error !== null }"
    )


@pytest.mark.parametrize("kind", sounds())
def test_a_sound_of_every_format_can_be_played(
    address: str, open_page: Open, tell: Tell, kind: str
) -> None:
    data, seconds = sounds()[kind]
    page = open_page(address, tell(sound(data, kind)))
    player = page.locator("audio")
    ready(page)
    assert player.evaluate("audio => audio.error?.message ?? null") is None
    assert player.evaluate("audio => audio.duration") == pytest.approx(seconds, rel=0.05)


def test_samples_without_a_header_can_be_played(address: str, open_page: Open, tell: Tell) -> None:
    page = open_page(address, tell(sound(samples(1.5), "pcm16")))
    ready(page)
    assert page.locator("audio").evaluate("audio => audio.duration") == pytest.approx(1.5)


@pytest.mark.parametrize("javascript", [True, False])
def test_sound_of_no_known_format_is_played_as_samples_when_the_reader_says_so(
    address: str, open_page: Open, tell: Tell, javascript: bool
) -> None:
    spoken = {"id": "a", "data": base64.b64encode(samples(1.0)).decode(), "transcript": "Hm."}
    page = open_page(address, tell(audio=spoken, content=None), javascript=javascript)
    player = page.locator(".media audio")
    expect(player).to_be_hidden()
    page.locator("summary", has_text="Play as 16-bit samples").click()
    expect(player).to_be_visible()


def test_a_player_seeks_by_asking_for_a_range(address: str, open_page: Open, tell: Tell) -> None:
    data = sounds()["wav"][0]
    long = data[:40] + (len(data[44:]) * 60).to_bytes(4, "little") + data[44:] * 60
    page = open_page(address, tell(sound(long, "wav")))
    statuses: list[tuple[int, str | None]] = []
    page.on(
        "response",
        lambda answer: statuses.append((answer.status, answer.request.headers.get("range"))),
    )
    player = page.locator("audio")
    ready(page)
    player.evaluate(
        "audio => new Promise(done => { audio.onseeked = done; audio.currentTime = 100 })"
    )
    assert player.evaluate("audio => audio.currentTime") == pytest.approx(100)
    assert {status for status, asked in statuses if asked} == {206}


def test_an_image_that_breaks_off_says_so_below_its_place(
    address: str, open_page: Open, tell: Tell
) -> None:
    page = open_page(address, tell(image(images()["png"][:6_000])))
    expect(page.get_by_role("img", name="480 × 300 pixels")).to_be_visible()
    expect(page.get_by_text("This image is incomplete: its end is missing.")).to_be_visible()
    expect(page.get_by_role("link", name="download")).to_be_visible()
