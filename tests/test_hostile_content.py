"""Content that wants to be markup, in every place a stranger can write into."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborNode

from tests.fake_upstream import FakeUpstream, Json, Reply, Stored, stored
from tests.pages import AS_FRAGMENT, Page

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
MESSAGES = f"/chat/completions/{ID}/messages"


@pytest.fixture(autouse=True)
def thirty(fake: FakeUpstream) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(30)))


ATTACKS = (
    "<script>alert(1)</script>",
    "</pre></code></p></div></article></main><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "</title></textarea></style><script>alert(1)</script><!--",
    "<form action=https://evil.example><input name=q><button>Log in</button></form>",
    "<a href='javascript:alert(1)' onclick=alert(1)>x</a>",
    "[x](javascript:alert(1)) ![x](https://evil.example/x.png) <https://localhost/logout>",
    "<div hx-get='/open' hx-trigger=load hx-swap-oob=true id=main class=bubble>x</div>",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example>",
    "<base href=//evil.example><meta http-equiv=refresh content='0;//evil.example'>",
    "<template><script>alert(1)</script></template><!-- x",
    "{{ 7*7 }} {% raw %} ${7*7} &lt;script&gt;",
    "\x00\x0b\x1b[31m\ufeff\u202e\ufdd01\ufdd1",
    "```html\n</code></pre><script>alert(1)</script>\n```\n<details open ontoggle=alert(1)>",
    "data:text/html,<script>alert(1)</script>",
    "javascript:alert(1)",
    "//evil.example/x",
)
SENTINEL = "the message behind all of it"
TAGS = frozenset(
    {"html", "head", "meta", "title", "link", "script", "body", "header", "main", "section"}
    | {"article", "div", "p", "span", "a", "h1", "h2", "h3", "h4", "h5", "h6", "time", "br", "hr"}
    | {"form", "label", "input", "button", "fieldset", "legend", "details", "summary", "pre"}
    | {"dl", "dt", "dd", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}
    | {"em", "strong", "s", "sup", "blockquote", "figure", "figcaption", "img", "audio"}
)
LOADING = ("src", "srcset", "poster", "data", "background", "action", "formaction", "hx-get")


def hostile_message(attack: str) -> Json:
    """`attack` in every place of a message that takes text, and in the names of some."""
    call = {
        "id": attack,
        "type": "function",
        "function": {"name": attack, "arguments": attack, attack: attack},
    }
    named = {"id": attack, "type": "function", "function": {"name": "f", "arguments": ""}}
    named["function"] = {"name": "f", "arguments": json.dumps({attack: attack, "n": 1.0})}
    return {
        "id": f"{ID}-0",
        "role": attack,
        "name": attack,
        "content": attack,
        "content_parts": [
            {"type": "text", "text": attack, attack: attack},
            {"type": attack, "x": attack},
            {"type": "refusal", "refusal": attack},
            {"type": "thinking", "thinking": attack},
            {"type": "image_url", "image_url": {"url": attack, "detail": attack}},
            {"type": "image_url", "image_url": {"url": f"https://evil.example/{attack}"}},
            {"type": "image_url", "image_url": {"url": f"data:image/svg+xml,{attack}"}},
            {"type": "input_audio", "input_audio": {"data": attack, "format": attack}},
            {"type": "file", "file": {"filename": attack, "file_id": attack, "file_data": attack}},
            attack,
        ],
        "refusal": attack,
        "reasoning_content": attack,
        "audio": {"id": attack, "data": attack, "transcript": attack, "expires_at": 1},
        "tool_calls": [call, named, {"type": attack, attack: {"name": attack}}, attack],
        "function_call": {"name": attack, "arguments": attack},
        "annotations": [
            {"type": "url_citation", "url_citation": {"url": attack, "title": attack}},
            {
                "type": "url_citation",
                "url_citation": {"url": "https://a.example/?" + attack, "title": attack}
                | {"start_index": 0, "end_index": 5},
            },
            {"type": attack},
        ],
        "tool_call_id": attack,
        attack: attack,
        "nested": {attack: [attack]},
    }


def hostile_completion(attack: str) -> Stored:
    answer = hostile_message(attack) | {"content_parts": None, "role": "assistant"}
    choice = {"index": 0, "message": answer, "finish_reason": attack, attack: attack}
    completion = stored(ID, choices=[choice]).completion | {
        "model": attack,
        "metadata": {attack: attack, "nested": {attack: attack}},
        "usage": {attack: attack, "total_tokens": 3},
        "tools": [{attack: attack}],
        attack: attack,
    }
    last = {"id": f"{ID}-1", "role": "user", "content": SENTINEL}
    return Stored(completion, [hostile_message(attack), last])


def assert_only_our_markup(page: Page) -> None:
    for node in page.all("*"):
        tag = node.tag
        assert tag in TAGS, tag
        for name, value in node.attributes.items():
            assert not name.startswith(("on", "style", "srcdoc", "hx-on", "hx-swap-oob")), name
            check_address(node, name, value or "")
    assert len(page.all("main")) <= 1
    own_scripts = [node for node in page.all("script") if not node.attributes.get("src")]
    assert own_scripts == []


def check_address(node: LexborNode, name: str, value: str) -> None:
    """What is loaded is ours; what can be clicked is ours or a web page elsewhere."""
    if name in LOADING or (name == "href" and node.tag == "link"):
        assert re.match(r"/(?![/\\])", value), (node.tag, name, value)
    elif name == "href":
        assert re.match(r"(/(?![/\\])|#|\?|https?://(?!localhost)|mailto:)", value), value
        if not value.startswith(("/", "#", "?")):
            rel = (node.attributes.get("rel") or "").split()
            assert {"noopener", "noreferrer", "nofollow"} <= set(rel)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_content_makes_no_markup_wherever_it_stands(
    fake: FakeUpstream, fake_client: FlaskClient, attack: str, headers: dict[str, str]
) -> None:
    fake.completions[ID] = hostile_completion(attack)
    for path in (HERE, f"{HERE}?order=desc", f"{HERE}?all=1", f"{HERE}/messages/{ID}-0"):
        page = Page.of(fake_client.get(path, headers=headers))
        assert_only_our_markup(page)
        assert "data:" not in " ".join(addresses(page))
        assert len(page.bubbles) == 3
        (sentinel,) = [one for one in page.bubbles if one.message_id == f"{ID}-1"]
        assert sentinel.sources == [SENTINEL]
        assert parents(sentinel.node) <= {"section", "div", "main", "body", "html"}


def test_content_is_shown_in_every_place_it_stands_in(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = hostile_completion("unmistakable")
    input_bubble = Page.of(fake_client.get(HERE)).bubbles[0]
    sent = json.dumps(fake.completions[ID].messages[0]).count("unmistakable")
    assert input_bubble.text.count("unmistakable") >= sent


def addresses(page: Page) -> Iterator[str]:
    for node in page.all("*"):
        yield from (value or "" for name, value in node.attributes.items() if name in LOADING)


def parents(node: LexborNode) -> set[str]:
    found = set()
    parent = node.parent
    while parent is not None and parent.tag not in ("-document", "-undef"):
        found.add(parent.tag or "")
        parent = parent.parent
    return found


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_content_makes_no_markup_in_raw_pages_and_lists(
    fake: FakeUpstream, fake_client: FlaskClient, attack: str, headers: dict[str, str]
) -> None:
    fake.completions[ID] = hostile_completion(attack)
    for path in (f"{HERE}/raw", f"{HERE}/choices/0/raw", f"{HERE}/messages/{ID}-0/raw"):
        page = Page.of(fake_client.get(path, headers=headers))
        assert_only_our_markup(page)
        assert len(page.all("pre.json")) == 1
    page = Page.of(fake_client.get("/completions", headers=headers))
    assert_only_our_markup(page)
    assert len(page.rows) == 1


def test_half_of_a_surrogate_pair_is_shown_as_a_mark_and_raw_as_its_escape(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    one = hostile_completion("x\ud800y")
    page = {"object": "list", "data": one.messages, "has_more": False}
    fake.script(f"/chat/completions/{ID}", Reply(200, json.dumps(one.completion)))
    fake.script(MESSAGES, Reply(200, json.dumps(page)))
    shown = Page.of(fake_client.get(HERE))
    assert_only_our_markup(shown)
    assert shown.bubbles[0].sources[0] == "x\ufffdy"
    fake.script(f"/chat/completions/{ID}", Reply(200, json.dumps(one.completion)))
    assert "x\\ud800y" in Page.of(fake_client.get(f"{HERE}/raw")).text


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_what_a_failing_server_says_makes_no_markup(
    fake: FakeUpstream, fake_client: FlaskClient, attack: str, headers: dict[str, str]
) -> None:
    said = {"message": attack, "type": attack, "code": attack, "param": attack}
    for status in (400, 404, 429, 500, 200):
        reply = Reply(status, json.dumps({"error": said}))
        for path in (MESSAGES, f"/chat/completions/{ID}", "/chat/completions"):
            fake.script(path, reply)
        for path in (HERE, "/completions"):
            response = fake_client.get(path, headers=headers)
            assert_only_our_markup(Page(response.get_data(as_text=True)))


@pytest.mark.parametrize("path", [f"/chat/completions/{ID}", MESSAGES])
def test_what_one_failing_half_says_makes_no_markup(
    fake: FakeUpstream, fake_client: FlaskClient, path: str
) -> None:
    location = "https://<script>alert(1)<!--/x"
    fake.script(path, Reply(302, "", (("Location", location), ("x-request-id", "<script>"))))
    response = fake_client.get(HERE)
    page = Page(response.get_data(as_text=True))
    assert "<script>alert(1)<!--" in page.notices[0]
    assert_only_our_markup(page)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_stands_in_an_address_makes_no_markup(fake_client: FlaskClient, attack: str) -> None:
    text = quote(attack, safe="", errors="replace")
    for path in (
        f"/completions?model={text}&metadata[{text}]={text}",
        f"/completions?key={text}&limit={text}",
        f"/completions?limit={text}",
        f"/completions/{text}",
        f"{HERE}?order={text}",
        f"{HERE}?after={text}",
        f"{HERE}/messages/{text}",
        f"{HERE}/messages/{text}/earlier",
        f"/{text}",
    ):
        for headers in ({}, AS_FRAGMENT):
            response = fake_client.get(path, headers=headers)
            assert response.status_code < 500
            assert_only_our_markup(Page(response.get_data(as_text=True)))
    response = fake_client.post("/open", data={"pasted": attack})
    assert_only_our_markup(Page(response.get_data(as_text=True)))


def test_the_rules_of_this_file_find_what_they_look_for() -> None:
    for html in (
        "<script>alert(1)</script>",
        "<img src=//evil.example/x>",
        "<img src=data:image/png;base64,x>",
        "<p onclick=x>",
        "<svg></svg>",
        "<a href=javascript:x>",
        "<a href=https://elsewhere.example>",
        "<p style=x>",
    ):
        with pytest.raises(AssertionError):
            assert_only_our_markup(Page(html))


def test_deep_and_long_content_is_a_page(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    deep: Any = "[" * 20_000 + "]" * 20_000
    body = (
        f'{{"data":[{{"id":"{ID}-0","role":"user","content":{deep},"x":{deep}}},'
        f'{{"id":"{ID}-1","role":"user","content":"{SENTINEL}","n":{"9" * 5000}}}],'
        '"has_more":false}'
    )
    fake.script(MESSAGES, Reply(200, body))
    page = Page.of(fake_client.get(HERE))
    assert page.bubbles[1].sources == [SENTINEL]
    assert "9" * 5000 in page.bubbles[1].text
