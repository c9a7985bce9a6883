"""axe-core finds nothing on lists, transcripts and errors, nor on bubbles in `test_gallery`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser.accessibility import (
    LINKS,
    SCHEMES,
    violations,
    violations_of_whole,
)
from tests.support.browser.boxes import lay_out_all
from tests.support.browser.chromium import Open
from tests.support.browser.contrast import faint_texts
from tests.support.fake_upstream import FakeUpstream, Reply, error, stored
from tests.support.gallery import fixtures, with_id


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/completions", ()),
        ("/completions?limit=5", ()),
        ("/completions?model=no-such-model", ()),
        ("/completions?metadata[team]=nobody&model=gpt-4o-mini", ()),
        ("/completions/no-such-completion", ("404",)),
        ("/completions?limit=many", ("400",)),
        ("/nowhere", ("404",)),
    ],
)
def test_the_list_and_errors(
    sample_address: str, look_at: Open, path: str, expected: tuple[str, ...]
) -> None:
    page = look_at(sample_address, path, expected=expected)
    assert violations(page) == []


@pytest.mark.parametrize(
    "question",
    ["Bergen", "lighthouse", "test", "rain", "haiku", "Pier Supplies", "chord", "ferry"],
)
def test_a_transcript_of_the_samples(sample_address: str, look_at: Open, question: str) -> None:
    page = look_at(sample_address, "/completions?limit=100")
    row = page.locator(".row", has_text=question).first.locator(".row-link")
    page.goto(f"{sample_address}{row.get_attribute('href')}")
    lay_out_all(page)
    # All rules for bubbles alone are asked on the gallery, those for what is around them below.
    assert violations_of_whole(page) == []


def test_a_transcript_of_every_kind_of_message(
    fake: FakeUpstream, fake_address: str, look_at: Open
) -> None:
    messages = [text for fixture in fixtures() for text in fixture.messages]
    data = ",".join(with_id(text, f"chatcmpl-1-{at}") for at, text in enumerate(messages))
    body = f'{{"object":"list","data":[{data}],"has_more":false}}'
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1")
    fake.script("/chat/completions/chatcmpl-1/messages", Reply(body=body))
    page = look_at(fake_address, "/completions/chatcmpl-1")
    lay_out_all(page)
    # All rules for each of them alone are asked on the gallery.
    assert violations_of_whole(page) == []


def test_a_link_to_a_message_and_its_raw_view(
    fake: FakeUpstream, fake_address: str, look_at: Open
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *(f"text {at}" for at in range(30)))
    path = "/completions/chatcmpl-1/messages/chatcmpl-1-7"
    page = look_at(fake_address, path)
    assert violations(page) == []
    page.goto(f"{fake_address}{path}/json")
    assert violations(page) == []
    page.goto(f"{fake_address}/completions/chatcmpl-1/json")
    assert violations(page) == []


def test_pages_about_a_transcript(
    address: str, look_at: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    """The outline, the ribbon, the gap and the actions; checks, search, comparison and others."""
    path = tmp_path / "two.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in build_runs()))
    load(path)
    here = "/completions/chatcmpl-0"
    page = look_at(address, f"{here}?limit=5", expected=("400",))
    page.locator(".run-details").evaluate("details => (details.open = true)")
    for shown in (".ribbon", ".outline", ".gap", ".run-table", ".roles"):
        assert page.locator(shown).first.is_visible(), shown
    for place in (
        None,
        f"{here}?view=outline",
        f"{here}?only=failures",
        f"{here}?range=3-4",
        f"{here}/checks",
        f"{here}/search?q=tides",
        f"{here}/search?q=%28&pattern=1",
        f"{here}/confidence",
        f"{here}/code",
        f"{here}/share",
        "/compare?a=chatcmpl-0&b=chatcmpl-1",
        "/conversations/chatcmpl-0",
        "/search?q=tides",
    ):
        if place:
            page.goto(f"{address}{place}")
        lay_out_all(page)
        assert violations(page) == [], place
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert faint_texts(page) == [], place


def build_runs() -> Iterator[dict[str, Any]]:
    """Yield a run with failures, files and hits, and one that continues it otherwise."""
    hits = json.dumps({"matches": [{"file": "a.py", "line": 3, "text": "tides"}], "cut": False})
    steps = [
        ("read_file", {"path": "a.py"}, "   1  # The tides\n   2  import os\n   3  tides = {}"),
        ("search", {"pattern": "tides"}, hits),
        ("shell", {"command": "pytest"}, "Traceback (most recent call last):\nValueError: tides"),
    ]
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Where are the tides?"}]
    for at in range(9):
        name, arguments, result = steps[at % 3]
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"call_{at}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": f"Step {at}.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call_{at}", "content": result})
    tokens = [
        {"token": token, "logprob": logprob, "top_logprobs": [{"token": "x", "logprob": -9}]}
        for token, logprob in (("In ", -0.01), ("the ", -1.2), ("table", -4.0))
    ]
    answer = {"role": "assistant", "content": "In the table"}
    choice = {
        "index": 0,
        "finish_reason": "length",
        "message": answer,
        "logprobs": {"content": tokens},
    }
    base = {"model": "gpt-4.1", "created": 1_790_000_000, "choices": [choice]}
    yield {"id": "chatcmpl-0", **base, "metadata": {"team": "tides"}, "messages": messages}
    more = [*messages, answer, {"role": "user", "content": "Are the tides there?"}]
    yield {"id": "chatcmpl-1", **base, "temperature": 0.2, "messages": more}


def test_an_upstream_that_fails(fake: FakeUpstream, fake_address: str, look_at: Open) -> None:
    refusals = (error(429, "Slow down.", retry_after="20"), error(500, "Oh no."))
    fake.script("/chat/completions", *refusals)
    page = look_at(fake_address, "/completions", expected=("429", "502", "503"))
    assert violations(page) == []
    page.goto(f"{fake_address}/completions")
    assert violations(page) == []


@pytest.mark.parametrize(
    ("style", "count"),
    [
        ("a { color: #222 }", 1),
        ("@media (prefers-color-scheme: dark) { a { color: #222 } }", 1),
        ("", 0),
        ("a { color: #222; text-decoration: underline }", 0),
    ],
    ids=["in light and dark", "in dark", "another colour", "an underline"],
)
def test_a_link_that_nothing_tells_from_its_text_is_found(
    still_browser: Browser, style: str, count: int
) -> None:
    page = still_browser.new_page()
    page.set_content(
        "<style>p { color: #000 } a { color: #c0c; text-decoration: none }"
        f"{style}</style><p>A text with a <a href='/'>link</a> in it.</p>"
    )
    found = {one for one in violations(page) if one.startswith(LINKS)}
    page.close()

    assert len(found) == count
