"""Citations in the browser: from a mark to its source and back, and nothing moves the text."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.browser.chromium import Open
from tests.support.fake_upstream import FakeUpstream, stored

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_mark_leads_to_its_source_and_the_source_back(
    fake: FakeUpstream, fake_address: str, open_page: Open, javascript: bool
) -> None:
    text = "A claim.\n\n" + "More of it.\n\n" * 100
    place = {"start_index": 2, "end_index": 7}
    source = {"url": "https://source.example/a", "title": "The source"} | place
    answer = {"role": "assistant", "content": text}
    answer["annotations"] = [{"type": "url_citation", "url_citation": source}]  # type: ignore[assignment]
    fake.completions[ID] = stored(ID, choices=[{"index": 0, "message": answer}])
    page = open_page(fake_address, HERE, javascript=javascript)
    mark = page.locator("[role=doc-noteref]", has_text="[1]")
    mark.click()
    expect(page.locator("li:target")).to_contain_text("The source")
    expect(page.locator("li:target")).to_be_in_viewport()
    page.locator("[role=doc-backlink]").click()
    expect(mark).to_be_in_viewport()
    assert page.locator("a:target").inner_text() == "[1]"
