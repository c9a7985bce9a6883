"""Every text and number of a message can be read in its bubble, whatever form the message has.

Nearly right messages, see `loose_shapes`: members missing, twice, of another type, or unheard
of. Each leaf occurs once, so that one which is lost is seen. Read is what the page says, an
address or a title among it; the data of a sound, an image or a file may be its media's.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, assume, given, settings
from selectolax.lexbor import LexborNode

from tests.support.fake_upstream import FakeUpstream, Reply, stored
from tests.support.loose_shapes import COMPLETION, KNOWN_WORDS, MESSAGE, Shape, leaves, written
from tests.support.pages import Page, open_menu
from tests.support.real_transcripts import FILES, lines_to_look_at
from webapp.exact_json import Array, Member, Object, String, Value, parse

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"

_SAID_BY: tuple[str, ...] = ("href", "src", "title", "data-message-id", "data-copy", "datetime")
_MEDIA_NAMES = frozenset({"data", "file_data", "url", "image_url"})

Show = Callable[[str], Page]


@pytest.fixture
def show_message(fake: FakeUpstream, fake_client: FlaskClient) -> Show:
    """The page of a transcript of one message, given as the server writes it."""
    # Each message is of another completion: those of one never change.
    created = itertools.count(1_758_039_103)

    def shown(text: str) -> Page:
        fake.completions[ID] = stored(ID, choices=[], created=next(created))
        body = f'{{"object":"list","data":[{text}],"has_more":false}}'
        fake.script(f"/chat/completions/{ID}/messages", Reply(body=body))
        page = Page.of(fake_client.get(HERE))
        fake.completions[ID].messages = [json.loads(text)]
        calls = [one for one in page.all(".call-head") if one.css(".menu-link[href]")]
        return Page(page.html + "".join(open_menu(fake_client, one).html for one in calls))

    return shown


@pytest.fixture
def show_completion(fake: FakeUpstream, fake_client: FlaskClient) -> Show:
    """The page of a completion, given as the server writes it."""
    fake.completions[ID] = stored(ID)

    def shown(text: str) -> Page:
        fake.script(f"/chat/completions/{ID}", Reply(body=text))
        return Page.of(fake_client.get(HERE))

    return shown


def said(node: LexborNode) -> str:
    """All that can be read below `node`, attributes for people included."""
    attributes = (one.attributes.get(name) or "" for one in node.css("*") for name in _SAID_BY)
    return "\n".join([node.text(), *attributes])


def held_by_media(value: Value) -> Iterator[str]:
    """The texts that may be the bytes of an image, a sound or a file."""
    if isinstance(value, Array):
        for item in value.items:
            yield from held_by_media(item)
    elif isinstance(value, Object):
        for member in value.members:
            yield from _held_by(member)


def _held_by(member: Member) -> Iterator[str]:
    if member.name.text in _MEDIA_NAMES and isinstance(member.value, String):
        yield member.value.text
    yield from held_by_media(member.value)


def assert_shown(value: Value, page: Page) -> None:
    assert page.tree.body is not None
    text = said(page.tree.body)
    held = set(held_by_media(value)) if page.all("figure.media") else set()
    known = KNOWN_WORDS | held
    lost = [leaf for leaf in leaves(value) if leaf not in known and not _is_said(leaf, text)]
    assert lost == []


def _is_said(leaf: str, text: str) -> bool:
    """As it is, as JSON writes it, or as a time."""
    return leaf in text or json.dumps(leaf)[1:-1] in text or _as_time(leaf) in text


def _as_time(leaf: str) -> str:
    """What a time in unix seconds is said by; a time that is none for other leaves."""
    seconds = int(leaf) if leaf.isdigit() and len(leaf) < 11 else 0
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# A server that gives the messages of a completion in it as well gives them twice.
_GIVEN_ONCE: Final[Shape] = {
    name: shape
    for name, shape in (COMPLETION.items() if isinstance(COMPLETION, dict) else ())
    if name != "input_messages"
}

quick = settings(
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(text=written(MESSAGE))
@quick
def test_every_leaf_of_a_message_is_in_its_bubble(show_message: Show, text: str) -> None:
    assert_shown(parse(text), show_message(text))


@given(text=written(_GIVEN_ONCE))
@quick
def test_every_leaf_of_a_completion_is_on_its_page(show_completion: Show, text: str) -> None:
    page = show_completion(text)
    # What is no completion by its id is refused as a whole, and the page says so.
    assume(not page.notices)
    assert_shown(parse(text), page)


@pytest.mark.parametrize(
    "message",
    [
        '{"role":"user","role":"t1"}',
        '{"role":"t1","role":"user","content":"t2","content":"t3"}',
        '{"role":"user","content":[{"type":"text","text":"t1","text":"t2","text":3}]}',
        '{"role":"user","content":[{"type":"image_url","image_url":{"url":"t1","url":"t2"}}]}',
        '{"role":"user","content":[{"type":"image_url","image_url":{"url":"t1","detail":"t2"}}]}',
        '{"role":"user","content":[{"type":"t1","t2":{"t3":["t4",5.50]}}]}',
        '{"role":"user","content":{"t1":"t2"}}',
        '{"role":"user","content":[["t1"],"t2",3e7,true]}',
        '{"role":{"t1":"t2"},"name":["t3"],"id":7}',
        '{"role":"assistant","audio":{"id":"t1","transcript":"t2","expires_at":"t3","t4":"t5"}}',
        '{"role":"assistant","tool_calls":[{"id":"t1","function":{"name":"t2","arguments":"t3"}}]}',
        '{"role":"assistant","tool_calls":{"t1":"t2"},"function_call":["t3"]}',
        '{"role":"assistant","content":"t1","annotations":[{"type":"t2","t3":4.0}]}',
        '{"role":"assistant","content":"t1","annotations":{"t2":"t3"},"reasoning":{"t4":5}}',
        '{"role":"assistant","content":"","refusal":["t1"],"reasoning_details":[{"t2":"t3"}]}',
    ],
)
def test_odd_messages_keep_all_they_hold(show_message: Show, message: str) -> None:
    assert_shown(parse(message), show_message(message))


@pytest.mark.skipif(not FILES, reason="no recorded transcripts here")
def test_the_recorded_odd_fields_are_on_their_pages(show_completion: Show) -> None:
    odd = ("content_filter_results", "prediction", "url_citation", "reasoning_details", "logprobs")
    count = 0
    for lines in lines_to_look_at().values():
        for line in lines:
            completion = json.loads(line)
            del completion["messages"]
            text = json.dumps(completion)
            if any(f'"{name}": {{' in text or f'"{name}": [' in text for name in odd):
                assert_shown(parse(text), show_completion(text))
                count += 1
    assert count > 5
