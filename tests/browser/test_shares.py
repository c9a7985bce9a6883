"""A share in a browser: made by the dialogue, read by somebody without a login, revoked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.shares.sharing import COMPLETION, OWN_ID, SECRET
from tests.support.browser.chromium import Open, keep_screenshot

MESSAGES = [
    {"role": "user", "content": f"The password: {SECRET} of the harbour."},
    *({"role": "user", "content": f"Question {at} to Mistral, {SECRET}."} for at in range(1, 60)),
]


def test_a_share_is_made_read_without_a_login_and_revoked(
    address: str,
    load: Callable[[Path], None],
    tmp_path: Path,
    open_page: Open,
) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({**COMPLETION, "messages": MESSAGES}), encoding="utf-8")
    load(file)
    maker = open_page(address, f"/completions/{OWN_ID}")
    maker.context.grant_permissions(["clipboard-read", "clipboard-write"])
    maker.get_by_role("link", name="Share", exact=True).click()
    maker.get_by_label("Words to mask, one a line").fill("Mistral")
    maker.get_by_role("button", name="Search for secrets and show the preview").click()
    expect(maker.get_by_label("keep password")).not_to_be_checked()
    expect(maker.get_by_text(SECRET).first).to_be_visible()
    preview = maker.frame_locator("iframe")
    expect(preview.locator(".bubble").first).to_contain_text("password: [masked: password] of")
    expect(preview.locator("body")).not_to_contain_text("Mistral")
    for width in (390, 1440):
        maker.set_viewport_size({"width": width, "height": 900})
        box = maker.locator("iframe").bounding_box()
        assert box is not None and box["y"] < 450, "the preview is on the first screen"
    maker.get_by_label("Your name, as the reader sees it").fill("Ann")
    maker.get_by_label("Views").fill("3")
    maker.get_by_label("Passphrase").fill("sesame")
    maker.get_by_role("button", name="Make the link").click()
    maker.get_by_role("button", name="Copy link").click()
    expect(maker.locator("#status")).not_to_be_empty()
    link = maker.evaluate("navigator.clipboard.readText()")
    assert link == maker.locator(".share-link").inner_text()
    assert link.startswith(f"{address}/s/")

    path = link.removeprefix(address)
    reader = open_page(address, path, javascript=False, expected=("403", "404"))
    expect(reader).to_have_title("A shared transcript")
    expect(reader.get_by_text("Ann shares a conversation")).to_be_visible()
    expect(reader.get_by_text("3 more times")).to_be_visible()
    reader.get_by_label("Passphrase").fill("wrong")
    reader.get_by_role("button", name="Open the transcript").click()
    expect(reader.get_by_role("alert")).to_have_text("That is not the passphrase.")
    reader.get_by_label("Passphrase").fill("sesame")
    reader.get_by_role("button", name="Open the transcript").click()
    expect(reader.locator(".bubble").first).to_contain_text("[masked: password] of the harbour")
    assert reader.url == link
    (cookie,) = reader.context.cookies(link)
    assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == (path, True, "Lax")
    assert reader.context.cookies(address) == []
    keep_screenshot(reader, "share")
    scripted = open_page(address, path)
    scripted.get_by_label("Passphrase").fill("sesame")
    scripted.get_by_role("button", name="Open the transcript").click()
    # Scripts run in order, and the last one says this.
    expect(scripted.locator("#place")).to_have_text("message 1 of 60")
    scripted.keyboard.press("/")
    expect(scripted.get_by_role("heading", name="Search this transcript")).to_be_visible()
    for here in (
        reader.locator("#gap a").first.get_attribute("href"),
        reader.locator("a[href*='/messages/'][href*='#m-']").first.get_attribute("href"),
        f"{path}/completions/shared/json",
    ):
        assert here is not None and here.startswith(f"{path}/")
        answer = reader.goto(f"{address}{here}")
        assert answer is not None and answer.status == 200, here
        assert "[masked: " in answer.text()
        assert SECRET not in answer.text() and "Mistral" not in answer.text()

    maker.reload()
    expect(maker.get_by_text("2 of 3")).to_be_visible()
    maker.get_by_role("button", name="Revoke").click()
    expect(maker.get_by_text("revoked")).to_be_visible()
    gone = reader.goto(link)
    assert gone is not None and gone.status == 404
    expect(reader.get_by_role("heading", name="This link does not open anything")).to_be_visible()
