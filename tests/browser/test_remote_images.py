"""Images of other servers in the browser: asked for once, by name, and only when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser.chromium import Open
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.media_files import images
from tests.support.serving import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"

Visit = Callable[..., Page]


@dataclass
class Foreign:
    """A server of somebody else: gives an image at every path, and remembers who asked how.

    Below `/to/` it sends the browser on to what the rest of the path names.
    """

    seen: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    address: str = ""

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.seen.append((path, environ.get("HTTP_REFERER"), environ.get("HTTP_COOKIE")))
        if path.startswith("/to/"):
            start("302 Found", [("Location", f"http://{path.removeprefix('/to/')}")])
            return []
        cookie = ("Set-Cookie", "reader=known; Path=/")
        start("200 OK", [("Content-Type", "image/png"), cookie])
        return [images()["png"]]

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.seen]


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    server = Foreign()
    with serve(server) as address:
        server.address = address
        yield server


@pytest.fixture
def visit(browser: Browser, fake_address: str) -> Iterator[Visit]:
    """Opens a page of ours in a window that may ask other servers, which a test then counts."""
    contexts = []

    def opened(path: str, *, javascript: bool = True) -> Page:
        context = browser.new_context(base_url=fake_address, java_script_enabled=javascript)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


def show_parts(fake: FakeUpstream, *addresses: str) -> None:
    one = stored(ID, "pictures")
    parts = [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
    one.messages[0] |= {"content": None, "content_parts": parts}
    fake.completions[ID] = one


def is_shown(page: Page, frame: int = 0) -> None:
    image = page.locator("iframe").nth(frame).content_frame.locator("img")
    expect(image).to_have_js_property("naturalWidth", 480)


def settled(page: Page) -> None:
    """Nothing that the page would load by itself is still to come."""
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")


def test_an_image_is_asked_for_once_and_only_when_the_reader_says_so(
    fake: FakeUpstream, foreign: Foreign, visit: Visit
) -> None:
    show_parts(fake, f"{foreign.address}/a.png", f"{foreign.address}/b.png")
    page = visit(HERE)
    page.context.add_cookies([{"name": "reader", "value": "known", "url": foreign.address}])
    settled(page)
    assert foreign.seen == []
    page.get_by_role("link", name="Load this image").first.click()
    is_shown(page)
    assert foreign.seen == [("/a.png", None, None)]
    expect(page.get_by_role("link", name="Load this image")).to_have_count(1)


def test_a_second_look_is_as_nameless_as_the_first(
    fake: FakeUpstream, foreign: Foreign, visit: Visit
) -> None:
    show_parts(fake, f"{foreign.address}/a.png")
    page = visit(HERE)
    for _ in range(2):
        page.get_by_role("link", name="Load this image").click()
        is_shown(page)
        page.reload()
    assert {one[1:] for one in foreign.seen} == {(None, None)}


def test_an_image_in_a_text_is_loaded_in_its_place(
    fake: FakeUpstream, foreign: Foreign, visit: Visit
) -> None:
    fake.completions[ID] = stored(ID, f"Look: ![a kite]({foreign.address}/kite.png) up there")
    page = visit(HERE)
    settled(page)
    assert foreign.seen == []
    page.get_by_role("link", name="Load this image").click()
    is_shown(page)
    assert foreign.seen == [("/kite.png", None, None)]
    assert page.url.endswith(HERE)


@pytest.mark.parametrize("in_a_text", [True, False])
def test_a_loaded_image_has_the_focus_and_no_words_that_it_is_not_loaded(
    fake: FakeUpstream, visit: Visit, foreign: Foreign, in_a_text: bool
) -> None:
    address = f"{foreign.address}/a.png"
    if in_a_text:
        fake.completions[ID] = stored(ID, f"![a picture]({address})")
    else:
        show_parts(fake, address)
    page = visit(HERE)
    expect(page.locator(".bubble").first).to_contain_text("not loaded")
    page.get_by_role("link", name="Load this image").focus()
    page.keyboard.press("Enter")
    expect(page.frame_locator("iframe").locator("img")).to_be_visible()
    expect(page.locator(".bubble").first).not_to_contain_text("not loaded")
    assert page.evaluate("document.activeElement.matches(':has(> iframe)')")
    expect(page.locator("#status")).to_contain_text("Image from 127.0.0.1")


def test_all_images_of_a_page_are_loaded_when_the_reader_says_so(
    fake: FakeUpstream, foreign: Foreign, visit: Visit
) -> None:
    show_parts(fake, *(f"{foreign.address}/{name}.png" for name in "ab"))
    page = visit(HERE)
    page.get_by_role("link", name="Load all on this page").click()
    is_shown(page, 0)
    is_shown(page, 1)
    assert sorted(foreign.seen) == [("/a.png", None, None), ("/b.png", None, None)]


def test_without_javascript_an_image_has_a_page_of_its_own(
    fake: FakeUpstream, foreign: Foreign, visit: Visit
) -> None:
    show_parts(fake, f"{foreign.address}/a.png")
    page = visit(HERE, javascript=False)
    settled_without_javascript = page.locator(".bubble").count()
    assert settled_without_javascript and foreign.seen == []
    page.get_by_role("link", name="Load this image").click()
    expect(page.locator("iframe")).to_be_visible()
    image = page.locator("iframe").content_frame.locator("img")
    expect(image).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert foreign.seen == [("/a.png", None, None)]
    page.get_by_role("link", name="Back", exact=True).click()
    assert page.url.endswith(HERE)
    assert foreign.paths == ["/a.png"]


def test_an_image_that_sends_the_browser_on_to_another_server_is_not_followed(
    fake: FakeUpstream, foreign: Foreign, visit: Visit
) -> None:
    other = Foreign()
    with serve(other) as elsewhere:
        place = elsewhere.removeprefix("http://")
        show_parts(fake, f"{foreign.address}/to/{place}/a.png")
        page = visit(HERE)
        page.get_by_role("link", name="Load this image").click()
        image = page.locator("iframe").content_frame.locator("img")
        expect(image).to_have_js_property("complete", True)
        expect(image).to_have_js_property("naturalWidth", 0)
        assert "could not be loaded" in (image.get_attribute("alt") or "")
    # Chromium may ask the first server again before it gives up.
    assert (set(foreign.paths), other.paths) == ({f"/to/{place}/a.png"}, [])


def test_the_frame_can_do_nothing_but_show_its_image(
    fake: FakeUpstream, foreign: Foreign, visit: Visit
) -> None:
    show_parts(fake, f"{foreign.address}/a.png")
    page = visit(HERE)
    page.get_by_role("link", name="Load this image").click()
    is_shown(page)
    frame = page.frames[1]
    assert frame.evaluate("self.origin") == "null"
    assert frame.evaluate("getComputedStyle(document.body).display") == "grid"
    assert frame.evaluate("document.querySelectorAll('script, link, a, form, iframe').length") == 0
    assert foreign.paths == ["/a.png"]


def test_nothing_is_asked_of_anybody_on_a_page_that_is_only_read(
    fake: FakeUpstream, foreign: Foreign, fake_address: str, open_page: Open
) -> None:
    show_parts(fake, f"{foreign.address}/a.png")
    page = open_page(fake_address, HERE)
    settled(page)
    assert foreign.seen == []
