"""Exports of small transcripts mark broken, blank and missing content as the page does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from tests.support.fake_upstream import FakeUpstream, Reply, stored
from tests.support.pages import readable

ID = "chatcmpl-1"


def exports(client: FlaskClient, part: str = "") -> tuple[str, str]:
    """Return the words of the Markdown and of the HTML export."""
    markdown = client.get(f"/completions/{ID}{part}/export.md").text
    body = LexborHTMLParser(client.get(f"/completions/{ID}{part}/export.html").text).body
    assert body is not None
    return markdown, readable(body)


@pytest.mark.parametrize(
    "members",
    [
        {"incomplete": {"reason": "Provider died"}},
        {"error": {"message": "Provider died", "code": 502}},
        {"error": "Provider died"},
    ],
)
@pytest.mark.parametrize("part", ["", "/choices/0"])
def test_an_answer_that_broke_off_says_so(
    fake: FakeUpstream, fake_client: FlaskClient, members: dict[str, Any], part: str
) -> None:
    fake.completions[ID] = stored(ID, "Why?", **members)

    for export in exports(fake_client, part):
        assert export.replace("*", "").count("The answer is not complete. Provider died") == 1


def test_a_message_alone_says_nothing_of_the_answer(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "Why?", incomplete={"reason": "Provider died"})
    [message] = fake.completions[ID].messages

    for export in exports(fake_client, f"/messages/{message['id']}"):
        assert "not complete" not in export


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" ", "Only white space (1 space)."),
        ("\n\n", "Only white space (2 line breaks)."),
    ],
)
def test_a_blank_text_is_described(
    fake: FakeUpstream, fake_client: FlaskClient, text: str, words: str
) -> None:
    fake.completions[ID] = stored(ID, text)

    for export in exports(fake_client):
        assert words in export


def test_the_html_file_is_utf_8_if_a_role_has_half_a_character(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "Why?")
    message = rb'{"id":"chatcmpl-1-0","role":"x\ud83d","content":"Why?"}'
    body = b'{"object":"list","data":[%s],"has_more":false}' % message
    fake.script(f"/chat/completions/{ID}/messages", Reply(body=body))

    export = fake_client.get(f"/completions/{ID}/export.html").data.decode()

    assert 'data-role="x\ufffd"' in export


def test_a_message_of_nothing_has_no_role_made_up(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, choices=[{"index": 0, "message": {}, "finish_reason": ""}])

    for export in exports(fake_client):
        assert "No content: the message is empty." in export
        assert "(blank)" not in export


def test_what_a_user_says_beside_a_result_is_no_result(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "")
    [message] = fake.completions[ID].messages
    message["content"] = [
        {"type": "tool_result", "tool_use_id": "t1", "content": "sunny"},
        {"type": "text", "text": "And *now*?"},
    ]

    markdown, _ = exports(fake_client)

    assert "\nAnd *now*?\n" in markdown
    assert "```\nsunny\n```" in markdown
    assert "```\nAnd" not in markdown


def call(id: str | None, name: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}


def tool(text: str, **members: str) -> dict[str, Any]:
    return {"role": "tool", "content": text, **members}


@pytest.mark.parametrize(
    ("messages", "calls"),
    [
        pytest.param(
            [
                [call("i", "a"), call("j", "b")],
                tool("result 1", name="b"),
                tool("result 2", name="a"),
            ],
            ["1.2 b", "1.1 a"],
            id="by name",
        ),
        pytest.param(
            [[call("i", "a"), call("j", "b")], tool("result 1"), tool("result 2")],
            ["1.1 a", "1.2 b"],
            id="by order",
        ),
        pytest.param(
            [[call("i", "a"), call("i", "b")], tool("result 1", tool_call_id="i", name="b")],
            ["1.2 b"],
            id="one id twice",
        ),
        pytest.param(
            [[call("i", "a")], [call("j", "b")], tool("result 1"), tool("result 2", name="a")],
            ["2.1 b", ""],
            id="of an earlier turn",
        ),
        pytest.param(
            [
                [call("i", "a")],
                tool("result 1", tool_call_id="i"),
                tool("result 2", tool_call_id="i"),
            ],
            ["1.1 a", "1.1 a"],
            id="answered twice",
        ),
    ],
)
def test_results_are_of_the_calls_that_the_page_shows_them_under(
    fake: FakeUpstream, fake_client: FlaskClient, messages: list[Any], calls: list[str]
) -> None:
    fake.completions[ID] = stored(ID)
    for at, one in enumerate(messages):
        sent = one if isinstance(one, dict) else {"role": "assistant", "tool_calls": one}
        fake.completions[ID].messages.append({"id": f"{ID}-{at}", **sent})
    page = LexborHTMLParser(fake_client.get(f"/completions/{ID}").text)
    markdown, html = exports(fake_client)

    expected = [f"result of call {named}" if named else "result" for named in calls]
    found = re.findall(r"^## \d+\. tool.*?: (result.*)$", markdown, re.MULTILINE)
    assert [one.replace("`", "") for one in found] == expected
    found = re.findall(r"Result(?: of call \S+ \S+)?", html)
    assert [one.lower() for one in found] == expected
    for at, named in enumerate(calls, start=1):
        message, _, position = named.partition(" ")[0].partition(".")
        under = page.css_first(f"#m-{message}-call-{position}") if named else None
        assert under is None or f"result {at}" in readable(under)
