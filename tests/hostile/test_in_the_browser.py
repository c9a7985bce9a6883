"""Every hostile case in Chromium: nothing runs, nothing is asked for, nothing leaves its place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Final
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from tests.hostile.exact_upstream import ExactUpstream, crowded_completions, pages_of_cases
from tests.hostile.failures import FAILURES
from tests.hostile.watching import Watched, watched
from tests.support.browser.chromium import load_images
from tools.hostile.fields import POLYGLOT

PAGES: Final = pages_of_cases()
COUNTS: Final = {
    name: sum(len(case.messages) + 1 for case in cases) for name, cases in PAGES.items()
}
SMALL: Final = [name for name, cases in PAGES.items() if not cases[0].is_large]
ONE_IN_SIX: Final = SMALL[::6]
CONTROLS: Final = """
    () => {
        // The JSON of each message, which is in its menu.
        for (const menu of document.querySelectorAll(".bubble-head > .actions > a.menu-link")) {
            const json = document.createElement("a");
            json.href = menu.href.replace(/parts.*/, "json");
            json.dataset.json = "";
            menu.closest(".bubble").append(json);
        }
        const source = new Event("readback:source", { bubbles: true });
        for (const one of document.querySelectorAll(".bubble, .call")) one.dispatchEvent(source);
        const found = [...document.querySelectorAll(".bubble :is(button, input, summary),"
            + " .bubble :is(a[hx-get], [data-json], .menu-link)")];
        const safe = found.filter((one) => !(one.getAttribute("hx-get") ?? "").includes("remote"));
        safe.forEach((one) => one.click());
        return safe.length;
    }
"""


@pytest.fixture(scope="module")
def shared_window(browser: Browser, hostile_address: str) -> Iterator[Watched]:
    with watched(browser, hostile_address) as one:
        yield one


@pytest.fixture
def window(shared_window: Watched) -> Watched:
    """A window that has asked for nothing yet, as far as this test is concerned."""
    shared_window.begin()
    return shared_window


@pytest.fixture(scope="module")
def window_without_scripts(browser: Browser, hostile_address: str) -> Iterator[Watched]:
    with watched(browser, hostile_address, javascript=False) as one:
        yield one


def assert_all_there(window: Watched, name: str, *, interacted: bool = False) -> None:
    found = window.inspect(interacted=interacted)
    assert found["bubbles"] == COUNTS[name]
    assert found["sentinels"] == len(PAGES[name])
    assert found["path"] == f"/completions/{name}"


def wait_for_images(window: Watched) -> None:
    load_images(window.page)
    window.page.wait_for_function("() => [...document.images].every((image) => image.complete)")


@pytest.mark.parametrize("name", PAGES)
def test_cases_do_nothing_and_their_sentinels_stand_alone(window: Watched, name: str) -> None:
    """Look at the page with all of its images, and at some after every control is pressed."""
    window.open(f"/completions/{name}?limit=100")
    wait_for_images(window)
    assert_all_there(window, name)
    if name in ONE_IN_SIX:
        assert window.page.evaluate(CONTROLS) > len(PAGES[name])
        window.page.wait_for_load_state("networkidle")
        assert_all_there(window, name, interacted=True)


@pytest.mark.parametrize("name", ONE_IN_SIX)
def test_cases_do_nothing_where_scripts_are_off(window_without_scripts: Watched, name: str) -> None:
    window = window_without_scripts
    window.open(f"/completions/{name}?limit=100")
    assert_all_there(window, name)


@pytest.mark.parametrize("name", SMALL[::5])
def test_cases_do_nothing_when_htmx_brings_them(window: Watched, name: str) -> None:
    window.open(f"/completions/{name}?limit=10")
    window.page.locator("[data-load-all]").press("Enter")
    window.page.locator("#more.end").wait_for()
    window.page.locator("#gap").wait_for(state="detached")
    window.page.locator("#loading-all").wait_for(state="hidden")
    assert_all_there(window, name)


def test_odd_completions_do_nothing(window: Watched) -> None:
    """Several odd fields on each page; over HTTP, each of them is looked at alone."""
    for name in crowded_completions():
        window.open(f"/completions/{name}")
        assert window.inspect()["sentinels"] == 1, name


def test_the_list_of_odd_completions_does_nothing(window: Watched) -> None:
    window.open("/completions?limit=10")
    for _ in range(3):
        rows = window.page.locator(".row").count()
        window.page.get_by_role("link", name="Load more").click()
        window.page.wait_for_function(f"() => document.querySelectorAll('.row').length > {rows}")
    assert window.inspect()["path"] == "/completions"
    window.open("/completions?limit=100")
    window.inspect()


def test_raw_pages_and_linked_messages_do_nothing(window: Watched) -> None:
    for name in ONE_IN_SIX:
        for path in (f"messages/{name}-c3-0", f"messages/{name}-c3-0/json", "json"):
            window.open(f"/completions/{name}/{path}")
            window.inspect()


def test_an_image_of_another_server_is_loaded_in_a_frame_that_can_do_nothing_else(
    window: Watched,
) -> None:
    """If a reader loads all of them: only images are requested, without data about the reader."""
    name = next(name for name in SMALL if PAGES[name][-1].name.startswith("images: "))
    window.open(f"/completions/{name}?limit=100&images=load")
    window.page.wait_for_load_state("networkidle")
    asked, window.foreign = window.foreign, []
    for request in asked:
        assert request.resource_type == "image"
        assert request.frame != window.page.main_frame
        assert not {"cookie", "referer", "authorization"} & set(request.headers)
        assert request.url.startswith(("https://", "http://"))
    window.inspect(interacted=True)


def test_what_is_typed_and_what_fails_does_nothing(window: Watched) -> None:
    address = quote(POLYGLOT, safe="")
    for path in (
        f"/completions?model={address}&metadata[{address}]={address}",
        f"/completions?limit={address}",
        f"/completions/{address}",
        f"/completions/hostile-0?order={address}",
        f"/completions/hostile-0/messages/{address}",
        f"/{address}",
    ):
        with window.failing():
            window.open(path)
        window.inspect()
    window.open("/completions")
    window.page.get_by_role("textbox", name="Open a completion").fill(POLYGLOT)
    window.asked.add("/open")
    with window.failing(), window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    window.inspect()


def test_what_a_failing_server_says_does_nothing(
    browser: Browser, failing_address: tuple[ExactUpstream, str]
) -> None:
    """Each failure on one of the two pages; other tests look at both over HTTP."""
    upstream, address = failing_address
    with watched(browser, address) as window, window.failing():
        for failure, path in zip(FAILURES, cycle(("/completions", "/completions/hostile-0"))):
            for asked in ("", "/hostile-0", "/hostile-0/messages"):
                upstream.script(f"/chat/completions{asked}", failure)
            window.open(path)
            window.inspect()
            upstream.forget()
