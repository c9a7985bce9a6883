"""A link to one message: the page it opens, the way back and on, and its cost at any depth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, error, stored
from tests.support.long_transcripts import write_completion
from tests.support.pages import AS_FRAGMENT, Page, open_menu, pages_from
from tools.paths import REAL_DATA
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url

LONG = REAL_DATA / "transcripts" / "coding_log_long.jsonl"
needs_real_data = pytest.mark.skipif(
    not LONG.exists(), reason="the real transcripts are not beside this checkout"
)

ID = "chatcmpl-1"
LONG_ID = "chatcmpl-long"
MESSAGES = f"/chat/completions/{ID}/messages"


def link_to(index: int) -> str:
    return f"/completions/{ID}/messages/{ID}-{index}"


def ids(first: int, end: int, completion_id: str = ID) -> list[str]:
    return [f"{completion_id}-{index}" for index in range(first, end)]


@pytest.fixture(autouse=True)
def forty_five(fake: FakeUpstream) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(45)))


@pytest.mark.parametrize("index", [0, 1, 19, 20, 30, 44])
def test_a_link_opens_the_transcript_at_its_message_and_highlights_it(
    fake_client: FlaskClient, index: int
) -> None:
    page = Page.of(fake_client.get(link_to(index)))
    assert page.is_whole
    assert page.message_ids[:20] == ids(index, 45)[:20] + [None] * (index > 25)
    assert page.bubbles[0].sources == [f"text {index}"]
    (target,) = page.all("[data-target]")
    assert target.attributes["data-message-id"] == f"{ID}-{index}"
    assert page.bubbles[0].link(str(index + 1)) == f"{link_to(index)}#m-{index + 1}"


@pytest.mark.parametrize("index", range(0, 45, 11))
def test_every_message_names_the_link_that_opens_it(fake_client: FlaskClient, index: int) -> None:
    page = Page.of(fake_client.get(f"/completions/{ID}?limit=45"))
    menu = open_menu(fake_client, page.bubbles[index].node)
    assert menu.link("copy link") == f"{link_to(index)}#m-{index + 1}"


@pytest.mark.parametrize("index", [0, 25, 44])
@pytest.mark.parametrize("choices", [1, 4])
def test_a_link_costs_three_message_calls_and_the_completion(
    fake: FakeUpstream, fake_client: FlaskClient, index: int, choices: int
) -> None:
    answer = {"message": {"role": "assistant", "content": "x"}}
    fake.completions[ID].completion["choices"] = [answer] * choices
    Page.of(fake_client.get(link_to(index)))
    paths = sorted(seen.path for seen in fake.requests if not seen.is_for_newest)
    assert paths == [f"/chat/completions/{ID}", MESSAGES, MESSAGES]
    # The page may be there before the request for the newest messages, which it may not need.
    assert len([seen for seen in fake.requests if seen.is_for_newest]) <= 1


@pytest.mark.parametrize("fragments", [False, True], ids=["pages", "fragments"])
def test_from_a_link_one_reads_back_to_the_first_message(
    fake_client: FlaskClient, fragments: bool
) -> None:
    path = f"{link_to(33)}?limit=5"
    pages = list(pages_from(fake_client, path, link="Earlier messages", fragments=fragments))
    sections = [page.message_ids for page in pages]
    assert sections == [ids(33, 38), *(ids(max(at, 0), at + 5) for at in range(28, -3, -5))]
    numbers = [int(node.text()) for page in reversed(pages) for node in page.all(".number")]
    assert numbers == list(range(1, 39))


def test_from_a_link_one_reads_on_to_the_end_and_the_answer(fake_client: FlaskClient) -> None:
    first = Page.of(fake_client.get(f"{link_to(12)}?limit=10"))
    further = first.link("Later messages")
    assert further is not None
    pages = [first, *pages_from(fake_client, further)]
    assert [one for page in pages for one in page.message_ids] == [*ids(12, 45), None]


def test_earlier_messages_open_as_a_page_that_leads_back_on(fake_client: FlaskClient) -> None:
    page = Page.of(fake_client.get(f"{link_to(20)}/earlier?limit=5"))
    assert page.message_ids == ids(15, 20)
    following = Page.of(fake_client.get(page.link("Load more") or ""))
    assert following.message_ids[0] == f"{ID}-20"


def test_nothing_stands_in_front_of_the_first_message(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    assert Page.of(fake_client.get(link_to(0))).link("Earlier messages") is None
    page = Page.of(fake_client.get(f"{link_to(0)}/earlier"))
    assert page.bubbles == []
    assert page.link("Earlier messages") is None


def test_a_result_whose_call_stands_in_front_says_so(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    messages = fake.completions[ID].messages
    messages[10] |= {"role": "assistant", "content": None, "tool_calls": calls}
    messages[31] |= {"role": "tool", "tool_call_id": "call_1"}
    (target,) = Page.of(fake_client.get(link_to(31))).all("[data-target]")
    assert "result of call call_1" in " ".join(target.text(separator=" ").split())


def make_turns(fake: FakeUpstream, *users: int) -> None:
    """Make a run of the 45 messages: user messages at `users`, else calls and their results."""
    for at, message in enumerate(fake.completions[ID].messages):
        if at in users:
            continue
        call = {"id": f"c{at}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        is_result = at % 2 == 0
        message |= (
            {"role": "tool", "tool_call_id": f"c{at - 1}"}
            if is_result
            else {
                "role": "assistant",
                "content": None,
                "tool_calls": [call],
            }
        )


@pytest.mark.parametrize(
    ("index", "start"),
    [
        (0, 0),
        (5, 0),
        (18, 0),
        (20, 0),
        (21, 21),  # The user message is too far away, and this message calls.
        (22, 21),
        (30, 30),
        (31, 30),
        (44, 30),
    ],
)
def test_a_link_opens_the_turn_of_its_message_or_the_call(
    fake: FakeUpstream, fake_client: FlaskClient, index: int, start: int
) -> None:
    make_turns(fake, 0, 30)
    page = Page.of(fake_client.get(link_to(index)))

    listed = [one for one in page.message_ids if one is not None]
    assert listed == ids(start, min(index + 20, 45))
    (target,) = page.all("[data-target]")
    assert target.attributes["data-message-id"] == f"{ID}-{index}"
    assert ("autofocus" in target.attributes) is (index != start)
    assert bool(page.link("Earlier messages")) is (start > 0)
    assert len([seen for seen in fake.requests if seen.path == MESSAGES]) == 3
    assert page.one("#place").text() == f"message {index + 1} of 45"


def test_a_late_result_opens_with_its_call_of_the_turn_before(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    make_turns(fake, 0, 11)
    fake.completions[ID].messages[12]["tool_call_id"] = "c9"
    page = Page.of(fake_client.get(link_to(12)))

    assert page.message_ids[0] == f"{ID}-9"


def test_from_the_turn_of_a_link_one_reads_back_and_on(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    make_turns(fake, 0, 30)
    back = list(pages_from(fake_client, f"{link_to(34)}?limit=5", link="Earlier messages"))
    on = list(pages_from(fake_client, back[0].link("Later messages") or "", link="Load more"))
    listed = [one for page in [*reversed(back), *on] for one in page.message_ids]
    assert listed == [*ids(0, 45), None]


@pytest.mark.parametrize("numbers", [False, True], ids=["other ids", "numbered ids"])
def test_a_turn_at_the_start_has_no_earlier_messages(
    fake: FakeUpstream, fake_client: FlaskClient, numbers: bool
) -> None:
    make_turns(fake, 0)
    for at, message in enumerate(fake.completions[ID].messages):
        message["id"] = f"{ID}-{at}" if numbers else f"msg_{at}x"
    linked = fake.completions[ID].messages[3]["id"]
    page = Page.of(fake_client.get(f"/completions/{ID}/messages/{linked}"))

    assert page.bubbles[0].sources == ["text 0"]
    assert page.link("Earlier messages") is None
    assert page.one("[data-target]").attributes["id"] == "m-4"


@pytest.mark.parametrize("path", ["", "/earlier", "/json"])
@pytest.mark.parametrize("message_id", [f"{ID}-45", "chatcmpl-2-0", "nothing", "a%20b", "x" * 300])
def test_a_message_that_is_not_there_is_not_found(
    fake_client: FlaskClient, path: str, message_id: str
) -> None:
    page = Page.of(fake_client.get(f"/completions/{ID}/messages/{message_id}{path}"), 404)
    assert page.bubbles == []
    assert "store: true" not in page.text
    assert page.link("The transcript") == f"/completions/{ID}"


@pytest.mark.parametrize("path", ["", "/earlier", "/json"])
def test_a_message_of_a_completion_that_is_not_there_is_not_found(
    fake_client: FlaskClient, path: str
) -> None:
    page = Page.of(fake_client.get(f"/completions/none/messages/none-0{path}"), 404)
    assert "store: true" in page.text


def test_a_link_is_shown_without_the_answer_when_the_completion_cannot_be_read(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(f"/chat/completions/{ID}", error(500, "broken"))
    page = Page.of(fake_client.get(link_to(40)))
    assert page.message_ids == ids(40, 45)
    assert "The completion itself could not be read" in page.notices[0]


def test_a_failure_of_either_message_call_is_an_error(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.script(MESSAGES, error(500, "broken"))
    Page.of(fake_client.get(link_to(40)), 502)


def test_the_raw_message_is_exact_and_leads_back(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID].messages[7] |= {"score": 1.0, "seed": 2**63, "é": "é/"}
    shown = Page.of(fake_client.get(link_to(7))).bubbles[0]
    address = open_menu(fake_client, shown.node).link("JSON") or ""
    page = Page.of(fake_client.get(address))
    raw = page.one("pre.json").text()
    assert raw.splitlines()[0] == "{"
    assert json.loads(raw) == fake.completions[ID].messages[7]
    assert '"score": 1.0' in raw
    assert page.link("Back to the transcript") == link_to(7)
    fragment = Page.of(fake_client.get(address, headers=AS_FRAGMENT))
    assert not fragment.is_whole
    assert fragment.one("pre.json").text() == raw


@pytest.mark.parametrize(("place", "status"), [(0, 200), (1, 404), (99999, 404)])
def test_the_raw_choice_has_an_address_of_its_own(
    fake_client: FlaskClient, place: int, status: int
) -> None:
    page = Page.of(fake_client.get(f"/completions/{ID}/choices/{place}/json"), status)
    assert ("An answer" in page.text) is (status == 200)


def test_a_link_to_an_answer_leads_to_its_place_in_the_transcript(
    fake_client: FlaskClient,
) -> None:
    page = Page.of(fake_client.get(f"/completions/{ID}?limit=45"))
    menu = page.bubbles[-1].node.css(".menu-link")[0]
    assert menu.attributes["data-place"] == f"{link_to(44)}#choice-0"
    alone = Page.of(fake_client.get(menu.attributes["href"] or ""))
    assert alone.link("copy link") == f"/completions/{ID}#choice-0"


# The longest real transcript


@dataclass(frozen=True)
class Opened:
    client: FlaskClient
    id: str


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder: Path = tmp_path_factory.mktemp("long")
    config = Config(database_url=f"sqlite:///{folder / 'readback.sqlite3'}")
    store = Store(find_database_url(config))
    import_files(store, [LONG])
    store.close()
    client = create_app(config).test_client()
    yield Opened(client, json.loads(LONG.read_text())["id"])


@needs_real_data
@pytest.mark.parametrize("index", [0, 1, 570, 1121, 1122, 1123, 1124, 1142])
def test_a_link_opens_the_longest_transcript_anywhere(long: Opened, index: int) -> None:
    page = Page.of(long.client.get(f"/completions/{long.id}/messages/{long.id}-{index}"))
    listed = [one for one in page.message_ids if one is not None]
    start = int((listed[0] or "").rpartition("-")[2])
    assert index - 20 <= start <= index
    assert listed == ids(start, min(index + 20, 1143), long.id)
    (target,) = page.all("[data-target]")
    assert target.attributes["id"] == f"m-{index + 1}"
    assert (None in page.message_ids) is (index + 20 >= 1143)


def test_from_the_middle_of_a_long_transcript_every_message_is_reached(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 1143))
    start = f"/completions/{LONG_ID}/messages/{LONG_ID}-570?limit=100"
    earlier = list(pages_from(client, start, link="Earlier messages", fragments=True))
    further = earlier[0].link("Later messages")
    assert further is not None
    later = list(pages_from(client, further, fragments=True))
    listed = [one for page in [*reversed(earlier), *later] for one in page.message_ids]
    assert listed == [*ids(0, 1143, LONG_ID), None]
    numbers = [
        int(node.text()) for page in [*reversed(earlier), *later] for node in page.all(".number")
    ]
    assert all(after == before + 1 for before, after in pairwise(numbers))


def test_every_link_of_an_odd_message_or_choice_leads_to_a_page(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    empty = {"role": "assistant", "content": None}
    choices: list[object] = [
        None,
        {"index": 0, "message": None},
        {"index": 1, "message": empty},
        {"delta": {}},
    ]
    fake.completions[ID] = stored(ID, "", "q", choices=choices)
    fake.completions[ID].messages[0] |= {"content": [], "role": None}

    page = Page.of(fake_client.get(f"/completions/{ID}"))

    menus = {link.attributes["href"] or "" for link in page.all(".bubble .menu-link[href]")}
    assert len(menus) == len(page.bubbles)
    answers = [fake_client.get(menu, headers=AS_FRAGMENT) for menu in menus]
    links = {link.attributes["href"] or "#" for one in answers for link in Page.of(one).all("a")}
    assert len(links - menus) > 10
    links |= menus
    found = {link: fake_client.get(link).status_code for link in sorted(links - {"#"})}
    assert [link for link, status in found.items() if status != 200] == []
