"""The search over all completions: what it shows, where it links, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.pages import Page

CALL = {"name": "shell", "arguments": json.dumps({"command": "ls /opt"})}
LINES: list[dict[str, Any]] = [
    {
        "id": "chatcmpl-1",
        "created": 1_794_873_600,
        "model": "gpt-x",
        "metadata": {"team": "travel"},
        "messages": [
            {"role": "user", "content": "Is the <b>CAFÉ</b> open?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": CALL}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "permission denied \u202e café"},
        ],
        "choices": [
            {
                "index": 0,
                "finish_reason": "length",
                "message": {"content": "The café opens at 9-10"},
            }
        ],
    },
    *(
        {
            "id": f"chatcmpl-{at}",
            "created": 1_794_870_000 - at,
            "messages": [{"role": "user", "content": f"common words {at}"}] * 7,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "Yes."}}],
        }
        for at in range(2, 9)
    ),
]


@pytest.fixture
def filled(client: FlaskClient, load: Callable[[Path], None], tmp_path: Path) -> FlaskClient:
    path = tmp_path / "some.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in LINES), encoding="utf-8")
    load(path)
    return client


def search(client: FlaskClient, words: str, **more: str | int) -> Page:
    return Page.of(client.get("/search", query_string={"q": words, **more}))


def test_every_match_is_shown_with_its_words_and_links_to_its_place(filled: FlaskClient) -> None:
    page = search(filled, "café")
    assert [hit.text() for hit in page.all(".hit mark")] == ["CAFÉ", "café", "café"]
    assert [link.attributes["href"] for link in page.all(".hit a")] == [
        "/completions/chatcmpl-1/messages/chatcmpl-1-0#m-1:~:text=CAF%C3%89",
        "/completions/chatcmpl-1/messages/chatcmpl-1-2#m-3:~:text=caf%C3%A9",
        "/completions/chatcmpl-1#answer:~:text=caf%C3%A9",
    ]
    assert page.one(".find-head a").attributes["href"] == "/completions/chatcmpl-1"
    assert "<b>CAFÉ</b>" in page.text
    assert page.all(".find b") == []
    metadata = search(filled, "in:metadata travel").all(".hit a")[0].attributes["href"] or ""
    assert metadata == "/completions/chatcmpl-1#about:~:text=travel"
    # A change of direction is marked where it is, as on every page.
    assert page.one(".find [data-mark]").attributes["data-mark"] == "U+202E RLO"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("tool:shell", 1),
        ("finish:length has:failure", 1),
        ("tool:shell finish:stop", 0),
        ("finish:stop", 7),
        ("metadata:team=travel model:gpt-x", 1),
        ("in:output café", 1),
        ("in:input café", 0),
        ('"permission denied"', 1),
        ("messages:7 common", 7),
        ("since:2026-11-17", 1),
        ("nothing like it", 0),
    ],
)
def test_filters_and_words_together_choose_the_completions(
    filled: FlaskClient, words: str, count: int
) -> None:
    page = search(filled, words)
    assert len(page.all(".find")) == count
    assert page.one("[role=search] input[name=q]").attributes["value"] == words
    if not count:
        assert "No completion matches." in page.text
        assert ("each in quotes" in page.text) == (words == "nothing like it")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("after:2026-01-01", ["after:"]),
        ('role:user tool:shell User:"a b" user:c', ["role:", "user:"]),
        ("https://nowhere.example/x", []),
        ('"role:user"', []),
        ("tool:nobody", []),
        ("common role:user1", ["role:"]),
        ("x" * 40 + ":y", []),
    ],
)
def test_words_that_look_like_filters_and_are_none_are_named_if_nothing_is_found(
    filled: FlaskClient, words: str, names: list[str]
) -> None:
    page = search(filled, words)
    assert "No completion matches." in page.text
    said = page.one("main p[role=status]").text()
    assert re.findall(r"(\S+) is not a filter", said) == names


@pytest.mark.parametrize("words", ["chatcmpl-2", '"chatcmpl-2"'])
def test_the_id_of_a_completion_that_no_text_has_leads_to_it(
    filled: FlaskClient, words: str
) -> None:
    link = search(filled, words).one("main p[role=status] a")
    assert (link.text(), link.attributes["href"]) == ("chatcmpl-2", "/completions/chatcmpl-2")
    assert search(filled, f"{words} finish:stop").all("main p[role=status] a") == []


def test_the_results_go_on_page_by_page_without_a_repetition(filled: FlaskClient) -> None:
    page = search(filled, "common", limit=3)
    questions = [one.text() for one in page.all(".find-head")]
    while links := page.all("a[rel=next]"):
        page = Page.of(filled.get(str(links[0].attributes["href"])))
        questions += [one.text() for one in page.all(".find-head")]
    assert [question.strip() for question in questions] == [
        f"common words {at}" for at in range(2, 9)
    ]
    assert "All 7 places in this transcript" in page.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"q": "has:wings"}, "has: takes audio"),
        ({"q": "x" * 1_001}, "up to 1,000 characters"),
        ({"q": "x", "after": "soon"}, "after takes a cursor"),
        ({"q": "x", "after": f"1-{2**63}"}, "after takes a cursor"),
        ({"q": "x", "limit": "0"}, "from 1 to 100"),
    ],
)
def test_what_cannot_be_searched_for_is_a_bad_request(
    filled: FlaskClient, query: dict[str, str], words: str
) -> None:
    assert words in Page.of(filled.get("/search", query_string=query), 400).text


def test_without_words_the_page_explains_the_filters(filled: FlaskClient) -> None:
    page = search(filled, "")
    assert page.all(".find") == []
    assert "open" in page.one(".search-help").attributes
    assert page.all('a[href="/search"]') == []
    assert Page.of(filled.get("/completions")).one('.list-links a[href="/search"]')


def test_of_another_server_the_page_says_what_can_be_searched(fake_client: FlaskClient) -> None:
    page = search(fake_client, "anything")
    assert "readback pull" in page.text
    assert page.all(".search") == []
    assert fake_client.post("/open", data={"pasted": "some words"}).status_code == 400
