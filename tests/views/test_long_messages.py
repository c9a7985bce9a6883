"""Messages too long for a page: shown in parts, each by a link, to the very end and exact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Json, Reply, Stored, stored
from tests.support.pages import AS_FRAGMENT, SOURCE, Page, readable
from webapp import create_app
from webapp.config import Budgets, Config, Limits

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
LIMIT = 2_000
PROSE = "".join(f"Paragraph {at} of a **long** story.\r\n\n" for at in range(400))
CODE = "```python\n" + "".join(f"print({at})\n" for at in range(900)) + "```\n\nThe end.\n"
LOG = "".join(f"{at:05d} worker ready \u202e\0\n" for at in range(500))
DOCUMENT = json.dumps({"rows": [{"at": at, "text": "日本"} for at in range(300)]})


@pytest.fixture
def small_app(fake: FakeUpstream) -> Iterator[Flask]:
    """The application with small budgets, so that little is much."""
    with fake.serve() as base_url:
        yield create_app(
            Config(
                openai_base_url=base_url,
                openai_api_key="sk-test-4f9a",
                limits=Limits(max_retries=0),
                budgets=Budgets(text_bytes=LIMIT, parts=20),
            )
        )


@pytest.fixture
def small(small_app: Flask) -> FlaskClient:
    return small_app.test_client()


TIMES = count(1)


def hold(fake: FakeUpstream, message: Json, *, as_choice: bool) -> str:
    """Stores `message` as the one message or the one choice; gives the anchor of its bubble.

    Each is another completion: messages of a stored one never change.
    """
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}] if as_choice else []
    messages = [] if as_choice else [{"id": f"{ID}-0"} | message]
    fake.completions[ID] = Stored(
        stored(ID, choices=choices, created=next(TIMES)).completion, messages
    )
    return "choice-0" if as_choice else "m-1"


def parts_of(client: FlaskClient, anchor: str, *, link: str, fragments: bool) -> list[Page]:
    """The transcript, then what the links lead to, one after the other."""
    pages = [Page.of(client.get(HERE))]
    address = pages[0].one(f"#{anchor} .next-part a.button").attributes["href"]
    while address:
        pages.append(Page.of(client.get(address, headers=AS_FRAGMENT if fragments else {})))
        assert pages[-1].is_whole is not fragments
        address = pages[-1].link(link)
    return pages


def sources(pages: list[Page], anchor: str) -> list[str]:
    """The exact texts of the bubble and of what was loaded for it."""
    nodes = pages[0].all(f"#{anchor} :is({SOURCE})")
    nodes += [node for page in pages[1:] for node in page.all(SOURCE)]
    return [node.text() for node in nodes]


@pytest.mark.parametrize("fragments", [True, False], ids=["fragments", "pages"])
@pytest.mark.parametrize("as_choice", [True, False], ids=["choice", "message"])
@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": PROSE},
        {"role": "assistant", "content": CODE},
        {"role": "tool", "content": LOG},
        {"role": "assistant", "content": DOCUMENT},
        {"role": "assistant", "content": None, "refusal": PROSE},
        {"role": "assistant", "content": None, "reasoning_content": PROSE},
    ],
    ids=["prose", "code", "log", "json", "refusal", "reasoning"],
)
def test_a_long_text_is_read_to_its_very_end(
    fake: FakeUpstream, small: FlaskClient, message: Json, as_choice: bool, fragments: bool
) -> None:
    anchor = hold(fake, message, as_choice=as_choice)
    pages = parts_of(small, anchor, link="Next part", fragments=fragments)
    (text,) = (value for name, value in message.items() if name != "role" and value)
    slices = sources(pages, anchor)
    assert len(slices) > 3
    assert "".join(slices) == text.replace("\0", "\u2400")
    assert all(len(one.replace("\u2400", "\0").encode()) <= LIMIT for one in slices)


@pytest.mark.parametrize("as_choice", [True, False], ids=["choice", "message"])
def test_long_arguments_and_unknown_parts_are_read_to_their_end_too(
    fake: FakeUpstream, small: FlaskClient, as_choice: bool
) -> None:
    function = {"name": "write", "arguments": DOCUMENT}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    message: Json = {"role": "assistant", "content": None, "tool_calls": calls}
    anchor = hold(fake, message, as_choice=as_choice)
    pages = parts_of(small, anchor, link="Next part", fragments=True)
    assert "".join(sources(pages, anchor)) == DOCUMENT

    part = {"type": "scene_url", "scene": json.loads(DOCUMENT)}
    anchor = hold(fake, {"role": "assistant", "content": [part]}, as_choice=as_choice)
    pages = parts_of(small, anchor, link="Next part", fragments=True)
    assert json.loads("".join(sources(pages, anchor))) == part


def test_the_transcript_says_how_much_it_shows(fake: FakeUpstream, small: FlaskClient) -> None:
    hold(fake, {"role": "user", "content": PROSE}, as_choice=False)
    page = Page.of(small.get(HERE))
    assert "2 kB of 15 kB shown" in readable(page.one("#m-1"))
    assert page.link("Whole text") == f"{HERE}/messages/{ID}-0/text/0/whole"


def test_other_messages_are_whole_beside_a_long_one(fake: FakeUpstream, small: FlaskClient) -> None:
    fake.completions[ID] = stored(ID, "short", PROSE, "also short")
    bubbles = Page.of(small.get(HERE)).bubbles
    assert bubbles[0].sources == ["short"]
    assert bubbles[2].sources == ["also short"]


def test_a_part_stands_alone_and_leads_on_and_back(fake: FakeUpstream, small: FlaskClient) -> None:
    hold(fake, {"role": "user", "content": PROSE}, as_choice=False)
    first = Page.of(small.get(f"{HERE}/messages/{ID}-0/text/0"))
    second = Page.of(small.get(first.link("Next part") or ""))
    assert first.link("Previous part") is None
    assert second.link("Back to the transcript") == f"{HERE}/messages/{ID}-0#m-1"
    previous = Page.of(small.get(second.link("Previous part") or ""))
    assert sources([previous], "m-1") == sources([first], "m-1")


def test_code_cut_in_the_middle_stays_code(fake: FakeUpstream, small: FlaskClient) -> None:
    hold(fake, {"role": "user", "content": CODE}, as_choice=False)
    first = Page.of(small.get(f"{HERE}/messages/{ID}-0/text/0"))
    second = Page.of(small.get(first.link("Next part") or ""))
    assert "begins inside a block of code" in second.text
    code = second.one(".rendered code").text()
    assert code.startswith("print(")
    assert "".join(sources([second], "m-1")).startswith("print(")


@pytest.mark.parametrize("as_choice", [True, False], ids=["choice", "message"])
def test_the_whole_text_is_plain_and_not_kept(
    fake: FakeUpstream, small: FlaskClient, as_choice: bool
) -> None:
    hold(fake, {"role": "assistant", "content": LOG}, as_choice=as_choice)
    page = Page.of(small.get(HERE))
    response = small.get(page.link("Whole text") or "")
    assert response.get_data(as_text=True) == LOG
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_a_lone_surrogate_is_in_the_whole_text(fake: FakeUpstream, small: FlaskClient) -> None:
    held = {"id": f"{ID}-0", "role": "user", "content": "a" * LIMIT + "\ud800"}
    page = json.dumps({"object": "list", "data": [held], "has_more": False})
    fake.script(f"/chat/completions/{ID}/messages", *[Reply(200, page)] * 4)
    data = small.get(f"{HERE}/messages/{ID}-0/text/0/whole").data
    assert data.decode("utf-8", "surrogatepass").endswith("a\ud800")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"messages/{ID}-0/text/1", 404),
        (f"messages/{ID}-0/text/0?from=99999999", 404),
        (f"messages/{ID}-0/text/0?from=-1", 400),
        (f"messages/{ID}-0/text/0?from=x", 400),
        (f"messages/{ID}-9/text/0", 404),
        ("choices/5/text/0", 404),
        (f"messages/{ID}-0/parts?from=1", 404),
        (f"messages/{ID}-0/text/1/whole", 404),
    ],
)
def test_places_that_are_not_there_are_told(
    fake: FakeUpstream, small: FlaskClient, path: str, status: int
) -> None:
    hold(fake, {"role": "user", "content": PROSE}, as_choice=False)
    assert small.get(f"{HERE}/{path}").status_code == status


def test_an_image_has_no_text(fake: FakeUpstream, small: FlaskClient) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://images.example/a.png"}}
    hold(fake, {"role": "user", "content": [image]}, as_choice=False)
    assert small.get(f"{HERE}/messages/{ID}-0/text/0").status_code == 404
    assert small.get(f"{HERE}/messages/{ID}-0/text/0/whole").status_code == 404


@pytest.mark.parametrize("fragments", [True, False], ids=["fragments", "pages"])
@pytest.mark.parametrize("as_choice", [True, False], ids=["choice", "message"])
def test_many_parts_and_calls_are_read_to_the_last(
    fake: FakeUpstream, small: FlaskClient, as_choice: bool, fragments: bool
) -> None:
    calls = [
        {"id": f"call_{at}", "type": "function", "function": {"name": f"tool_{at}"}}
        for at in range(30)
    ]
    content = [{"type": "text", "text": f"part {at}."} for at in range(50)]
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    anchor = hold(fake, message, as_choice=as_choice)
    pages = parts_of(small, anchor, link="Next parts", fragments=fragments)
    assert len(pages) == 4
    assert "20 of 80 parts shown" in pages[0].text
    assert sources(pages, anchor) == [part["text"] for part in content]
    names = [readable(node) for page in pages for node in page.all(".call-name")]
    assert names == [f"tool_{at}" for at in range(30)]


def test_results_of_calls_that_are_not_shown_yet_are_shown(
    fake: FakeUpstream, small: FlaskClient
) -> None:
    calls = [
        {"id": f"call_{at}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for at in range(30)
    ]
    messages: list[Json] = [{"role": "assistant", "content": None, "tool_calls": calls}]
    messages += [
        {"role": "tool", "tool_call_id": f"call_{at}", "content": f"result {at}."}
        for at in range(30)
    ]
    numbered: list[Any] = [{"id": f"{ID}-{at}"} | one for at, one in enumerate(messages)]
    fake.completions[ID] = Stored(stored(ID, choices=[]).completion, numbered)
    page = Page.of(small.get(HERE, query_string={"limit": 100}))
    assert page.message_ids == [one["id"] for one in numbered]
    assert all(f"result {at}." in page.text for at in range(30))


def test_a_message_without_an_id_says_where_its_rest_is(
    fake: FakeUpstream, small: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "x", choices=[])
    fake.completions[ID].messages[0] = {"id": "not an id", "role": "user", "content": PROSE}
    bubble = Page.of(small.get(HERE)).bubbles[0]
    assert "the JSON below has all of it" in bubble.text
    assert "Paragraph 399" in bubble.text
