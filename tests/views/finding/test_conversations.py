"""A recorded run of an agent is one conversation, in transcripts and on a page of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from tests.support.agent_run import REQUESTS, STEPS, Json, build_answer, run_agent
from tests.support.model_server import FakeModel, whole
from tests.support.pages import readable
from tools.paths import ROOT
from tools.store_rows import rows
from webapp import create_app
from webapp.config import Config
from webapp.factories import find_database_url

TRANSCRIPTS = ROOT.parent / "shared" / "data" / "transcripts"


@pytest.fixture
def recorded(config: Config) -> Iterator[tuple[FlaskClient, list[str]]]:
    """A client of a Readback that has recorded the run, and the ids of its requests."""
    model = FakeModel()
    with model.serve() as base_url:
        client = create_app(replace(config, model_url=base_url)).test_client()

        def ask(body: Json, answer: Json) -> str:
            model.script(whole(build_answer(len(model.requests), answer)))
            answered = client.post("/v1/chat/completions", json=body)
            assert answered.status_code == 200
            return str(answered.get_json()["id"])

        yield client, run_agent(ask)


def page(client: FlaskClient, url: str) -> LexborHTMLParser:
    answer = client.get(url)
    assert answer.status_code == 200
    return LexborHTMLParser(answer.text)


def texts(page: LexborHTMLParser, selector: str) -> list[str]:
    return [readable(node) for node in page.css(selector)]


def test_a_recorded_run_is_one_conversation_with_its_forks(
    recorded: tuple[FlaskClient, list[str]], config: Config
) -> None:
    client, ids = recorded
    assert len(ids) == REQUESTS
    found = rows(
        find_database_url(config),
        "SELECT c.id, p.id AS parent, f.conversation FROM facts AS f"
        " JOIN completions AS c ON c.seq = f.completion"
        " LEFT JOIN completions AS p ON p.seq = f.parent ORDER BY c.seq",
    )
    assert len({row.conversation for row in found}) == 1
    # The places of the retries and of the edited message among the thirty.
    thrown_away = {4, 10, 19, 23}
    kept = [at for at in range(REQUESTS) if at not in thrown_away]
    assert len(kept) == STEPS
    parents = {row.id: row.parent for row in found}
    for before, after in zip(kept, kept[1:], strict=False):
        assert parents[ids[after]] == ids[before]
    assert {at: parents[ids[at]] for at in thrown_away} == {
        4: ids[3],
        10: ids[9],
        19: ids[18],
        23: ids[22],
    }

    # In the transcript of the last request.
    shown = page(client, f"/completions/{ids[-1]}")
    [line] = texts(shown, "nav.conversation")
    assert "Request 30 of 30 in this conversation" in line
    assert "1 new message , from 52 on" in line
    # Its link marks the messages that are new.
    [link] = [a for a in shown.css("nav.conversation a") if "new message" in readable(a)]
    marked = page(client, link.attributes["href"] or "").css(".bubble[data-target]")
    assert [one.attributes["id"] for one in marked] == ["m-52"]
    # Each run of older messages folds. Those beside the new ones that were asked for are folded.
    older = shown.css("details.older")
    assert [readable(one.css("summary")[0]) for one in older] == [
        "20 messages of the previous request",
        "7 messages of the previous request",
    ]
    assert all("open" in one.attributes for one in older)
    alone = page(client, link.attributes["href"] or "")
    [folded] = alone.css("details.older")
    assert "open" not in folded.attributes
    assert folded.css("#m-50") and not folded.css("#m-51")
    assert texts(alone, ".new-mark") == ["New since the previous request"]
    # All pages have one fold, and what a filter left out is counted apart before the new ones.
    whole = page(client, f"/completions/{ids[-1]}?all=1")
    assert texts(whole, ".older > summary") == ["50 messages of the previous request"]
    assert [one.attributes["id"] for one in whole.css(".older ~ .page > .bubble")][:1] == ["m-51"]
    filtered = page(client, f"/completions/{ids[-1]}?all=1&only=user")
    last = filtered.css(".older ~ .page")[0]
    assert [readable(one) for one in last.iter()][:2] == [
        "6 messages not shown",
        "New since the previous request",
    ]
    # A call with a new result is new with it.
    assert [one.attributes["id"] for one in alone.css(".new-mark + .bubble")] == ["m-51"]
    assert "Next request" not in line
    # A retry names the other try; the edit names what was edited.
    [line] = texts(page(client, f"/completions/{ids[11]}"), "nav.conversation")
    assert "Request 12 of 30" in line and "Branches here: retry" in line
    edited = page(client, f"/completions/{ids[24]}")
    assert "edit" in texts(edited, "nav.conversation")[0]
    new = page(client, f"/completions/{ids[1]}")
    assert texts(new, ".new-mark") == ["New since the previous request"]
    [mark] = new.css(".new-mark")
    assert mark.next is not None
    following = mark.next if mark.next.tag != "-text" else mark.next.next
    assert following is not None and following.attributes["id"] == "m-4"


def test_the_page_of_a_conversation_shows_each_message_once(
    recorded: tuple[FlaskClient, list[str]],
) -> None:
    client, ids = recorded
    first = page(client, f"/conversations/{ids[0]}")
    [title] = texts(first, "h1")
    assert title.startswith("Find out why the tide table of Bergen")
    assert "Conversation of 30 requests" in first.body.text() if first.body else False
    lines = texts(first, ".request-line")
    assert len(lines) == 10
    assert lines[0].startswith("Request 1 ")
    assert "gpt-4.1" in lines[0] or "gpt-4o" in lines[0]
    assert "110 tokens, 50 cached" in lines[0]
    assert "to the next" in lines[0]
    # All ends: the branch that is shown, and what was thrown away.
    branches = first.css("nav.branches a")
    assert [one.attributes.get("aria-current") for one in branches].count("true") == 1
    assert len({readable(one) for one in branches}) == 5
    # They are named by what differs, not by the clock of the system.
    own_words = [readable(one).split(" · ")[2:] for one in branches]
    assert own_words == [
        *([f"retry at request {at}"] for at in (5, 11, 20)),
        ["“06:19, 0.4 m”"],
        ["“Go on, but leave out the summer time.”"],
    ]
    # Sections of a few messages do not take the room of long ones before they are laid out.
    assert all("data-short" in one.attributes for one in first.css("section.page:not(.outputs)"))

    # A result is linked to its call, in the answer of the request before.
    results = first.css(".answers")
    assert results
    for result in results:
        assert readable(result) == "result of read_file , in the answer above"
        [link] = result.css("a")
        [call] = first.css(link.attributes["href"] or "")
        assert "read_file" in readable(call)

    changes = texts(first, ".request-changes")
    assert "differs at character 43" in changes[0] or "The system message" in changes[0]
    assert "15:00:00. became 15:00:01." in changes[0].replace(" .", ".")
    assert "Cached: 50 tokens, 49 % of the prompt." in changes[0]
    second = page(client, f"/conversations/{ids[0]}?first=11")
    settings = [one for one in texts(first, ".setting-change") + texts(second, ".setting-change")]
    assert len(settings) == 1 and "temperature" in settings[0] and "0.2 became 0.7" in settings[0]

    # No message twice, no id twice, on all pages together.
    anchors: list[str] = []
    for at in (1, 11, 21):
        shown = page(client, f"/conversations/{ids[0]}?first={at}")
        anchors += [node.attributes["id"] or "" for node in shown.css(".bubble[id]")]
    assert len(anchors) == len(set(anchors))
    said = " ".join(texts(second, ".bubble"))
    assert said.count("06:11, 0.4 m") == 1

    other = page(client, f"/conversations/{ids[4]}")
    assert "I would rather not do step 4." in readable(other.css("main")[0])
    assert client.get("/conversations/nobody").status_code == 404
    assert client.get(f"/conversations/{ids[0]}?first=99").status_code == 404


def test_it_says_how_many_old_results_were_cleared(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    question = {"role": "user", "content": "What does the tide gauge of Bergen write at night?"}
    history: list[Json] = [question]
    lines = []
    for at in range(4):
        calls = [{"id": f"c{at}", "type": "function", "function": {"name": "read"}}]
        answer = {"role": "assistant", "content": f"Page {at}.", "tool_calls": calls}
        said = [*history]
        if at == 3:
            said = [
                one | {"content": "[cleared]"} if "tool" in one["role"] else one for one in said
            ]
        choice = {"index": 0, "message": answer, "finish_reason": "tool_calls"}
        times = {"id": f"c{at}", "created": 1_766_000_000 + at * 40_000}
        lines.append(json.dumps(times | {"messages": said, "choices": [choice]}))
        history += [answer, {"role": "tool", "tool_call_id": f"c{at}", "content": "06:11 " * 50}]
    (tmp_path / "run.jsonl").write_text("\n".join(lines))
    load(tmp_path / "run.jsonl")

    [first, *_, last] = texts(page(client, "/conversations/c0"), ".request-changes > summary")
    assert "cleared" not in first
    assert "became [cleared] ." in last
    assert last.endswith("2 tool results cleared.")
    # The next day has its date.
    lines = texts(page(client, "/conversations/c0"), ".request-line")
    assert "Request 1 19:33:20" in lines[0] and "Request 2 2025-12-18 06:40:00" in lines[1]
    [line] = texts(page(client, "/completions/c3"), "nav.conversation")
    assert "Request 4 of 4 in this conversation" in line
    assert "2 older tool results cleared" in line
    assert "cleared" not in texts(page(client, "/completions/c1"), "nav.conversation")[0]


def test_it_says_that_a_summary_took_the_place_of_messages(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    call = {"id": "call_hK2vD8xWmZ7r", "type": "function", "function": {"name": "read"}}
    answer = {"role": "assistant", "content": "", "tool_calls": [call]}
    task = {"role": "user", "content": "Sum up what the tide gauge wrote."}
    said = [task, {"role": "assistant", "content": "Which day?"}, task | {"content": "Each."}]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "06:11"}
    summed = [task, task | {"content": "So far: each day is wanted."}, answer, result]
    choices = [{"index": 0, "message": answer, "finish_reason": "tool_calls"}]
    lines = [
        json.dumps({"id": f"c{at}", "created": 100 + at, "messages": one, "choices": choices})
        for at, one in enumerate([said, summed])
    ]
    (tmp_path / "run.jsonl").write_text("\n".join(lines))
    load(tmp_path / "run.jsonl")

    [change] = texts(page(client, "/conversations/c0"), ".request-changes > summary")
    assert change == "The assistant message (2) became one of the user: So far: each day is wanted."


def test_a_single_completion_has_no_conversation(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    one = {"id": "c1", "messages": [{"role": "user", "content": "Hi"}], "choices": []}
    (tmp_path / "one.jsonl").write_text(json.dumps(one))
    load(tmp_path / "one.jsonl")

    assert page(client, "/completions/c1").css("nav.conversation") == []
    alone = page(client, "/conversations/c1")
    assert len(alone.css(".request-line")) == 1


def test_of_another_server_it_says_what_to_do(fake_client: FlaskClient) -> None:
    shown = page(fake_client, "/conversations/chatcmpl-1")
    assert "Pull, then search" in readable(shown.css("main")[0])


def test_the_chains_that_plain_prefixes_find_are_conversations(
    config: Config, load: Callable[[Path], None]
) -> None:
    """But for those that only ask the same, of other models or months apart."""
    if not TRANSCRIPTS.is_dir():
        pytest.skip("the real transcripts are not there")
    for file in sorted(TRANSCRIPTS.glob("*.jsonl")):
        load(file)
    url = find_database_url(config)
    found = rows(
        url,
        "SELECT f.completion, f.conversation, f.created, c.model, m.given_json FROM facts AS f"
        " JOIN completions AS c ON c.seq = f.completion"
        " JOIN messages AS m ON m.completion = f.completion ORDER BY f.completion, m.position",
    )
    messages: dict[int, list[str]] = {}
    about = {}
    for row in found:
        said = json.loads(row.given_json)
        messages.setdefault(row.completion, []).append(f"{said.get('role')} {said.get('content')}")
        about[row.completion] = row
    whole: dict[tuple[str, ...], list[int]] = {}
    for seq, said in messages.items():
        whole.setdefault(tuple(said), []).append(seq)
    pairs = {
        (earlier, later)
        for later, said in messages.items()
        for end in range(1, len(said))
        for earlier in whole.get(tuple(said[:end]), ())
    }
    near = {
        (a, b)
        for a, b in pairs
        if about[a].model == about[b].model and 0 <= about[b].created - about[a].created <= 60
    }
    joined = {(a, b) for a, b in pairs if about[a].conversation == about[b].conversation}

    sizes = Counter(row.conversation for row in about.values())
    chains = [size for size in sizes.values() if size > 1]
    assert len(chains) >= 37 and sum(chains) >= 98
    assert len({later for _, later in near} - {later for _, later in joined}) <= 2


def test_the_list_folds_a_conversation_to_one_row(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    question = {"role": "user", "content": "How long does the ferry to Balestrand take? " * 3}
    answer = {"role": "assistant", "content": "Four hours."}
    choices = [{"index": 0, "message": answer, "finish_reason": "stop"}]
    thanks = {"role": "user", "content": "Thanks."}

    def one(name: str, at: int, *said: Json, **more: object) -> Json:
        return {"id": name, "created": at, "messages": said, "choices": choices, **more}

    lines = [
        one("first", 100, question, model="m1", metadata={"topic": "ferry"}),
        one("alone", 150, {"role": "user", "content": "Hello"}, model="m2"),
        one("second", 200, question, answer, thanks, model="m2"),
        one("third", 300, question, answer, thanks, answer, thanks, model="m1"),
    ]
    (tmp_path / "some.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    load(tmp_path / "some.jsonl")

    def listed(url: str) -> list[str]:
        links = page(client, url).css("a.row-link")
        return [(link.attributes["href"] or "").split("/")[-1].split("?")[0] for link in links]

    assert listed("/completions") == ["third", "alone"]
    assert listed("/completions?limit=1&after=third") == ["alone"]
    assert listed("/completions?flat=1") == ["third", "second", "alone", "first"]
    # The last one that passes the filters stands for the others.
    assert listed("/completions?model=m2") == ["second", "alone"]
    assert listed("/completions?metadata[topic]=ferry") == ["first"]
    assert listed("/completions?metadata[topic]=ferry&model=m2") == []

    folded = page(client, "/completions?model=m2")
    [requests] = folded.css("details.row-requests")
    assert texts(folded, "details.row-requests > summary") == ["3 requests in all"]
    assert len(requests.css("li")) == 3
    links = [link.attributes["href"] for link in requests.css("a")]
    assert links == [
        *(f"/completions/{name}?model=m2" for name in ("first", "second", "third")),
        "/conversations/second",
    ]
    # Their usage has no count of cached tokens.
    changes = texts(page(client, "/conversations/second"), ".request-changes")
    assert changes and not any("Cached" in one for one in changes)
    head = page(client, "/completions?flat=1")
    assert head.css("details.row-requests") == []
    assert texts(head, ".kinds a[href='/completions']:not([aria-current])") == ["conversations"]


def test_two_people_who_greet_alike_have_a_conversation_each(config: Config) -> None:
    """Their first requests and answers are the same, so only what follows tells them apart."""
    model = FakeModel()
    said: dict[str, list[Json]] = {who: [] for who in ("ann", "bob")}
    ids: dict[str, list[str]] = {who: [] for who in said}
    with model.serve() as base_url:
        client = create_app(replace(config, model_url=base_url)).test_client()

        def ask(who: str, text: str, answer: str) -> None:
            said[who].append({"role": "user", "content": text})
            reply = {"role": "assistant", "content": answer, "refusal": None}
            model.script(whole(build_answer(len(model.requests), reply)))
            body = {"model": "gpt-4.1", "store": True, "messages": said[who]}
            ids[who].append(client.post("/v1/chat/completions", json=body).get_json()["id"])
            said[who].append(reply)

        for step in range(3):
            for who in said:
                texts = ("Hello", "Hello! How can I help?")
                ask(who, *(texts if step == 0 else (f"{who} asks {step}", f"{who}: {step}")))
        said["ann"] = said["ann"][:2]
        ask("ann", "ann asks 1", "Another try.")
    query = (
        "SELECT c.id, f.conversation FROM facts AS f JOIN completions AS c ON c.seq = f.completion"
    )
    numbers = {row.id: row.conversation for row in rows(find_database_url(config), query)}

    found = [{numbers[one] for one in ids[who][1:]} for who in said]
    assert [len(one) for one in found] == [1, 1]
    assert found[0] != found[1]
