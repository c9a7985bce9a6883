"""Keys in a real browser: through messages and calls, a list of them, and none while typing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser.chromium import Open, wait_for_scripts

HERE = "/completions/chatcmpl-1"


@pytest.fixture
def called(load: Callable[[Path], None], tmp_path: Path) -> None:
    calls = [
        {"id": f"call_{at}", "function": {"name": f"tool_{at}", "arguments": "{}"}}
        for at in range(2)
    ]
    messages = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": "I look.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_0", "content": "fine"},
        {"role": "tool", "tool_call_id": "call_1", "content": "Error: not there"},
        {"role": "user", "content": "And *now*?"},
    ]
    choice = {"index": 0, "message": {"role": "assistant", "content": "Done."}}
    line = {"id": "chatcmpl-1", "messages": messages, "choices": [choice]}
    (tmp_path / "one.jsonl").write_text(json.dumps(line))
    load(tmp_path / "one.jsonl")


def reached(page: Page, *keys: str) -> str:
    for key in keys:
        page.keyboard.press(key)
    wait_for_scripts(page)
    found: str = page.evaluate("(document.activeElement.closest('[id]') ?? document.body).id")
    return found


@pytest.mark.usefixtures("called")
@pytest.mark.parametrize("view", ["full", "compact"])
def test_keys_move_through_messages_calls_failures_and_turns(
    address: str, open_page: Open, view: str
) -> None:
    page = open_page(address, f"{HERE}?view={view}")
    assert reached(page, "j") == "m-1"
    assert reached(page, "j") == "m-2"
    assert reached(page, "n") == "m-2-call-1"
    assert reached(page, "n") == "m-2-call-2"
    assert reached(page, "p") == "m-2-call-1"
    assert reached(page, "e") == "m-2-call-2"
    assert reached(page, "u") == "m-5"
    assert reached(page, "g", "a") == page.locator(".output").get_attribute("id")
    assert reached(page, "k") == "m-5"


@pytest.mark.usefixtures("called")
def test_keys_move_through_the_lines_of_an_outline_and_what_they_unfold(
    address: str, open_page: Open
) -> None:
    page = open_page(address, f"{HERE}?view=outline")
    lines = page.locator(".outlined > summary")
    expect(lines).to_have_count(3)
    user, assistant, second_user = lines.all()
    for key, line in (
        ("j", user),
        ("j", assistant),
        ("k", user),
        ("n", assistant),
        ("u", second_user),
        ("p", assistant),
        ("k", user),
        ("e", assistant),
    ):
        page.keyboard.press(key)
        expect(line).to_be_focused()
    page.keyboard.press("o")
    expect(page.locator("#m-2")).to_be_visible()
    assert reached(page, "n") == "m-2-call-1"
    assert reached(page, "e") == "m-2-call-2"
    page.keyboard.press("j")
    expect(second_user).to_be_focused()
    page.keyboard.press("s")
    expect(page.locator("#m-5 .source").first).to_be_visible()
    assert reached(page, "j") == page.locator(".output").get_attribute("id")


@pytest.mark.usefixtures("called")
def test_keys_show_the_source_and_copy_the_link_of_a_folded_call(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    call = {"id": "call_0", "function": {"name": "look", "arguments": '{"at": 1}'}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    unknown = {"role": "assistant", "content": "*x*", "tool_calls": [{"type": "x", "y": 1}]}
    line = {"id": "chatcmpl-2", "messages": [said, unknown], "choices": []}
    (tmp_path / "call.jsonl").write_text(json.dumps(line))
    load(tmp_path / "call.jsonl")
    page = open_page(address, "/completions/chatcmpl-2?view=compact")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert reached(page, "n") == "m-1-call-1"
    page.keyboard.press("y")
    expect(page.locator("#status")).not_to_be_empty()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{address}/completions/chatcmpl-2/messages/chatcmpl-2-0#m-1-call-1"
    exact = page.locator("#m-1-call-1 .exact")
    expect(exact).to_be_hidden()
    page.keyboard.press("s")
    expect(exact).to_be_visible()
    # A call of an unknown kind has no link and no source of its own.
    assert reached(page, "n") == "m-2-call-1"
    page.keyboard.press("s")
    expect(page.locator("#m-2 .source").first).to_be_visible()


@pytest.fixture
def long_run(load: Callable[[Path], None], tmp_path: Path) -> None:
    """Load a run whose only failure, and second user turn, are in the middle."""
    messages: list[dict[str, object]] = [{"role": "user", "content": "Look."}]
    for at in range(40):
        call = {"id": f"call_{at}", "function": {"name": "look", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        said = "Error: not there" if at == 20 else "fine"
        messages.append({"role": "tool", "tool_call_id": f"call_{at}", "content": said})
        if at == 20:
            messages.append({"role": "user", "content": "And now?"})
    choice = {"index": 0, "message": {"role": "assistant", "content": "Done."}}
    line = {"id": "chatcmpl-1", "messages": messages, "choices": [choice]}
    (tmp_path / "long.jsonl").write_text(json.dumps(line))
    load(tmp_path / "long.jsonl")


@pytest.mark.usefixtures("long_run")
def test_keys_lead_to_what_is_not_on_the_page(address: str, open_page: Open) -> None:
    page = open_page(address, HERE)
    expect(page.locator("#m-42")).to_have_count(0)
    page.keyboard.press("e")
    expect(page).to_have_url(f"{address}{HERE}/messages/chatcmpl-1-41#m-42-call-1")
    page.keyboard.press("u")
    expect(page.locator("#m-44")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.locator(".output:target")).to_be_in_viewport()


@pytest.mark.usefixtures("long_run")
def test_the_outline_is_one_stop_of_the_tab_key(address: str, open_page: Open) -> None:
    page = open_page(address, HERE)
    lines = page.locator(".outline-lines a")
    page.get_by_role("radio", name="all", exact=True).focus()
    page.keyboard.press("Tab")
    expect(lines.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(lines.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(lines.last).to_be_focused()
    page.keyboard.press("Tab")
    assert page.locator(".outline-lines :focus").count() == 0

    page.get_by_role("radio", name="failures").check()
    page.keyboard.press("Tab")
    expect(page.locator("[data-failed] a")).to_be_focused()


@pytest.mark.usefixtures("called")
def test_the_place_follows_to_the_answer_at_the_end_and_back(address: str, open_page: Open) -> None:
    page = open_page(address, f"{HERE}?view=full")
    page.set_viewport_size({"width": 1440, "height": 300})
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.locator("#place")).to_have_text("answer")
    current = page.locator(".outline-lines [aria-current]")
    expect(current).to_have_count(1)
    expect(current).to_contain_text("Done.")

    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#place")).to_have_text(re.compile("^message 1 of"))


@pytest.mark.usefixtures("called")
def test_the_place_follows_a_reader_who_scrolls_away_at_once(address: str, open_page: Open) -> None:
    page = open_page(address, f"{HERE}?view=full")
    page.set_viewport_size({"width": 1440, "height": 300})
    assert reached(page, "j") == "m-1"
    page.evaluate("""() => {
        for (const key of "ga") {
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        }
        scrollTo(0, 0);
    }""")
    expect(page.locator("#place")).to_have_text(re.compile("^message 1 of"))


@pytest.mark.usefixtures("called")
def test_keys_fold_a_call_show_the_source_and_copy_the_link(address: str, open_page: Open) -> None:
    page = open_page(address, f"{HERE}?view=compact")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    call = page.locator("details#m-2-call-1, #m-2-call-1 details:not(.menu)").first
    was_open = call.get_attribute("open") is not None
    assert reached(page, "n") == "m-2-call-1"
    page.keyboard.press("o")
    expect(call).to_have_js_property("open", not was_open)
    page.keyboard.press("o")
    expect(call).to_have_js_property("open", was_open)

    assert reached(page, "u") == "m-5"
    source = page.locator("#m-5 .source").first
    expect(source).to_be_hidden()
    page.keyboard.press("s")
    expect(source).to_be_visible()
    page.keyboard.press("s")
    expect(source).to_be_hidden()

    page.keyboard.press("y")
    expect(page.locator("#status")).not_to_be_empty()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{address}{HERE}/messages/chatcmpl-1-4#m-5"


@pytest.mark.usefixtures("called")
def test_keys_move_through_the_list_and_open_a_completion(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    second = {"id": "chatcmpl-2", "created": 1, "messages": [{"role": "user", "content": "First?"}]}
    (tmp_path / "two.jsonl").write_text(json.dumps(second | {"choices": []}))
    load(tmp_path / "two.jsonl")
    page = open_page(address, "/completions")
    rows = page.locator(".row-link")
    expect(rows).to_have_count(2)
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Compare two")).to_be_focused()
    rows.nth(0).focus()
    opened = rows.nth(0).get_attribute("href") or ""
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}{opened}")


@pytest.mark.usefixtures("called")
def test_a_question_mark_lists_the_keys_and_escape_closes(address: str, open_page: Open) -> None:
    page = open_page(address, HERE)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("next failure")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Words to find")).to_be_focused()


@pytest.mark.usefixtures("called")
def test_no_key_acts_while_typing(address: str, open_page: Open) -> None:
    page = open_page(address, HERE)
    page.keyboard.press("i")
    page.keyboard.type("jke?")
    expect(page.locator("#pasted")).to_have_value("jke?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert reached(page) == "pasted"


@pytest.mark.usefixtures("called")
def test_what_was_done_before_the_scripts_were_there_happens_then(
    address: str, open_page: Open
) -> None:
    held: list[Route] = []
    page = open_page(address, f"{HERE}?view=full")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.route("**/acting.js", lambda route: held.append(route))
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.locator(".bar-tools .menu > summary").first.click()
    page.get_by_role("button", name="Id").click()
    expect(page.locator("#place")).to_have_text("message 1 of 5")
    assert [route.request.url.rpartition("/")[2] for route in held] == ["acting.js"]
    held.pop().continue_()
    expect(page.locator("#place")).to_have_text("answer")
    expect(page.locator("#status")).to_have_text("Copied.")

    page.goto(f"{address}{HERE}?view=full")
    with page.expect_request("**/acting.js"):
        page.keyboard.press("i")
    page.keyboard.type("Look upp")
    page.keyboard.press("Backspace")
    held.pop().continue_()
    expect(page.locator("#pasted")).to_have_value("Look up")

    with page.expect_request("**/acting.js"):
        page.goto(f"{address}/completions", wait_until="commit")
    page.locator("#status").wait_for(state="attached")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    held.pop().continue_()
    page.wait_for_url(f"**{HERE}*")


@pytest.mark.usefixtures("called")
def test_scripts_that_cannot_be_loaded_are_asked_for_again(address: str, open_page: Open) -> None:
    page = open_page(address, f"{HERE}?view=full", expected=("Failed to load resource",))
    page.route("**/acting.js", lambda route: route.abort())
    page.locator("[data-keys]").click()
    expect(page.locator("[data-keys]")).to_have_attribute("data-said", "try again")
    expect(page.locator("#status")).to_have_text(re.compile("^Could not load"))
    page.unroute("**/acting.js")
    # That of another version answers; its file does not.
    page.route("**/acting.js", lambda route: route.fulfill(status=404))
    page.locator("[data-keys]").click()
    expect(page.locator("#status")).to_have_text(re.compile("Reload it"))
    page.unroute("**/acting.js")
    page.locator("[data-keys]").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
