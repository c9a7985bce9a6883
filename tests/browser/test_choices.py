"""Several answers of one completion, switched between as tabs, without any script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.chromium import Open
from tests.support.fake_upstream import FakeUpstream, stored

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
NAMES = ("First Boat", "Early Quay", "Four O'Clock")


@pytest.fixture
def three(fake: FakeUpstream) -> None:
    choices = [
        {"index": at, "message": {"role": "assistant", "content": name}, "finish_reason": "stop"}
        for at, name in enumerate(NAMES)
    ]
    fake.completions[ID] = stored(ID, "Name my shop.", choices=choices)


def in_view(page: Page) -> list[str]:
    """The choices whose text is rendered."""
    return [
        name
        for name in NAMES
        if page.locator(".choice .rendered", has_text=name).evaluate(
            "node => node.checkVisibility({contentVisibilityAuto: false})"
        )
    ]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("javascript", [True, False])
def test_one_choice_is_shown_and_another_by_its_tab(
    fake_address: str, open_page: Open, javascript: bool
) -> None:
    page = open_page(fake_address, HERE, javascript=javascript)
    assert in_view(page) == ["First Boat"]
    page.locator(".choice > summary", has_text="Choice 2").click()
    expect(page.locator(".choice[open]")).to_have_count(1)
    assert in_view(page) == ["Early Quay"]


@pytest.mark.usefixtures("three")
def test_the_tabs_stand_in_a_row_above_the_choice(fake_address: str, open_page: Open) -> None:
    page = open_page(fake_address, HERE)
    boxes = [tab.bounding_box() for tab in page.locator(".choice > summary").all()]
    assert len({round(box["y"]) for box in boxes if box}) == 1
    below = page.locator(".choice[open] .bubble").bounding_box()
    assert below and all(box and box["y"] + box["height"] <= below["y"] + 1 for box in boxes)


@pytest.mark.usefixtures("three")
def test_a_link_to_a_choice_opens_its_tab(fake_address: str, open_page: Open) -> None:
    page = open_page(fake_address, f"{HERE}#choice-2")
    expect(page.locator("#choice-2")).to_be_in_viewport()
    assert in_view(page) == ["Four O'Clock"]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("javascript", [True, False])
def test_all_choices_can_be_seen_at_once(
    fake_address: str, open_page: Open, javascript: bool
) -> None:
    page = open_page(fake_address, HERE, javascript=javascript)
    page.get_by_label("all at once").check()
    assert in_view(page) == list(NAMES)
    boxes = [bubble.bounding_box() for bubble in page.locator(".choice .bubble").all()]
    places = [(box["x"], box["y"]) for box in boxes if box]
    assert len(set(places)) == 3


@pytest.mark.usefixtures("three")
def test_paper_has_all_choices(fake_address: str, open_page: Open) -> None:
    page = open_page(fake_address, HERE)
    page.emulate_media(media="print")
    assert in_view(page) == list(NAMES)


@pytest.mark.usefixtures("three")
def test_the_keyboard_reaches_and_opens_every_tab(fake_address: str, open_page: Open) -> None:
    page = open_page(fake_address, HERE)
    page.locator(".choice > summary", has_text="Choice 3").focus()
    page.keyboard.press("Enter")
    assert in_view(page) == ["Four O'Clock"]
