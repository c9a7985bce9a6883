"""The run at a glance: counts over all messages, links to what they count, and filters."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import AS_FRAGMENT, Page, pages_from, readable

ID = "chatcmpl-run"
Json = dict[str, Any]


def calls(*names: str, start: int) -> Json:
    made = [
        {"id": f"c{start + n}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        for n, name in enumerate(names)
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


def result(number: int, content: str = "done") -> Json:
    return {"role": "tool", "tool_call_id": f"c{number}", "content": content}


def write_run(path: Path, *, reason: str = "stop", count: int = 30) -> Path:
    """A run of 62 messages: 3 user turns, 30 calls of 2 tools, 2 failed ones.

    Of a greater `count` of calls, those from the 30th on have no result, and are of the two
    tools by turns.
    """
    messages: list[Json] = [{"role": "user", "content": "Go on"}]
    for number in range(1, count + 1):
        failed = number in (25, 26)
        books = 24 < number < 28 or (number > 30 and number % 2)
        messages.append(calls("book" if books else "look", start=number))
        if number < 30:
            messages.append(result(number, "Error: no seat" if failed else "done"))
        if number in (5, 20):
            messages.append({"role": "user", "content": "And then?"})
    answer = {"role": "assistant", "content": "All is done."}
    completion = {
        "id": ID,
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "messages": messages,
        "choices": [{"index": 0, "message": answer, "finish_reason": reason}],
    }
    path.write_text(json.dumps(completion) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run_client(client: FlaskClient, load: Callable[[Path], None], tmp_path: Path) -> FlaskClient:
    load(write_run(tmp_path / "run.jsonl"))
    return client


def texts(page: Page, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in page.all(selector)]


def test_the_answer_and_the_first_failure_are_said_at_once(
    run_client: FlaskClient, client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}"))
    assert texts(page, ".glance dt") == ["Recorded", "Answer says", "Ended", "Failures"]
    record, answer, end, _ = texts(page, ".glance dd")
    assert record == "Nothing in the metadata says whether it succeeded"
    assert answer == "All is done."
    assert end == "By itself, not cut off finish reason stop"
    assert texts(page, ".glance-lines p") == [
        "✗ 2 failed calls; each was followed by a call of the same tool without a failure",
        "52 book ×2: no seat error message",
    ]
    for link in page.all(".glance a"):
        href = link.attributes["href"] or ""
        there = Page.of(client.get(href)) if href.startswith("/") else page
        assert there.all(f"#{href.partition('#')[2]}")


def test_failures_of_different_causes_are_told_apart(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    line = json.loads(write_run(tmp_path / "run.jsonl").read_text())
    line["messages"] = [{"role": "user", "content": "Go on"}]
    outcomes = ["no seat on 7", "no seat on 8", "no money", "", "full", "closed", "late", ""]
    for number, outcome in enumerate(outcomes):
        tool = "pay" if number in (4, 5, 6) else "book"
        line["messages"] += [
            calls(tool, start=number),
            result(number, f"Error: {outcome}" if outcome else "done"),
        ]
    line["messages"][1]["content"] = "I book."
    line["messages"][-2] = calls("book", "look", start=7)
    (tmp_path / "run.jsonl").write_text(json.dumps(line))
    load(tmp_path / "run.jsonl")
    page = Page.of(client.get(f"/completions/{ID}"))
    assert texts(page, ".glance-lines p") == [
        "✗ 6 failed calls; 3 were followed by a call of the same tool without a failure, "
        "not 10 pay, 12 pay, 14 pay",
        "2 book ×2, the first: no seat on 7 error message",
        "6 book: no money error message",
        "10 pay: full error message",
        "+2 more",
    ]
    assert "only=failures" in (page.link("+2 more") or "")
    first, second = texts(page, ".sequences li")
    assert "2 ×2, the first: no seat on 7" in first and "6: no money" in first
    assert "12: closed" in second and second.endswith("14: late error message")
    # Calls that worked are not hidden by others.
    assert texts(page, ".outline-lines a")[1:4] == [
        *("2 assistant I book.", "2 book ×4, ✗ 3 failed", "10 pay ×3, ✗ 3 failed")
    ]
    assert texts(page, ".outline-lines a")[4:6] == ["16 book", "16 look"]
    # The number of a message is seen once.
    assert texts(page, ".outline-lines [data-part] .outline-name") == ["book", "look"]


def test_a_success_long_after_a_failure_is_not_denied(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    line = json.loads(write_run(tmp_path / "run.jsonl").read_text())
    tools = ["book", *(15 * ["look"]), "book"]
    line["messages"] = [{"role": "user", "content": "Go on"}]
    for number, tool in enumerate(tools):
        line["messages"] += [calls(tool, start=number), result(number)]
    line["messages"][2]["content"] = "Error: no seat"
    (tmp_path / "run.jsonl").write_text(json.dumps(line))
    load(tmp_path / "run.jsonl")
    said, _ = texts(Page.of(client.get(f"/completions/{ID}")), ".glance-lines p")
    assert said == "✗ 1 failed call; the last 16 results report no failure"


@pytest.mark.parametrize(
    ("reason", "metadata", "names"),
    [
        ("stop", {}, []),
        ("length", {}, ["Ended"]),
        ("stop", {"reward": "0.0"}, ["Recorded", "Ended"]),
    ],
)
def test_a_short_run_says_only_what_it_does_not_show_at_once(
    client: FlaskClient,
    load: Callable[[Path], None],
    tmp_path: Path,
    reason: str,
    metadata: Json,
    names: list[str],
) -> None:
    line = json.loads(write_run(tmp_path / "run.jsonl", reason=reason, count=1).read_text())
    (tmp_path / "run.jsonl").write_text(json.dumps({**line, "metadata": metadata}))
    load(tmp_path / "run.jsonl")
    assert texts(Page.of(client.get(f"/completions/{ID}")), ".glance dt") == names


@pytest.mark.parametrize("only", ["user", "system", "failures"])
def test_links_on_a_filtered_page_lead_to_what_it_shows_or_to_another_page(
    run_client: FlaskClient, only: str
) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}?only={only}"))
    links = [node.attributes["href"] or "" for node in page.all("main a[href]")]
    inside = [link for link in links if link.startswith("#")]
    assert [link for link in inside if not page.all(link)] == []
    assert any(link.startswith("#") for link in links)
    assert len(page.all(".ribbon [data-here]")) < len(page.all(".ribbon .cell")) / 2
    (failure,) = page.all(".failed-link")
    there = (
        Page.of(run_client.get(failure.attributes["href"] or "")) if only != "failures" else page
    )
    assert there.all("#m-52-call-1")


def test_a_question_that_is_more_than_the_title_is_said_too(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    asked = "We are solving the following issue.\n\n## Issue\n\nTimes lose their precision. "
    line = json.loads(write_run(tmp_path / "run.jsonl").read_text())
    line["messages"][0]["content"] = asked + "word " * 100
    # A turn without words, such as one of images, asks nothing.
    line["messages"].insert(0, {"role": "user", "content": ""})
    (tmp_path / "run.jsonl").write_text(json.dumps(line))
    load(tmp_path / "run.jsonl")
    page = Page.of(client.get(f"/completions/{ID}"))
    assert texts(page, ".bar-id") == ["We are solving the following issue."]
    assert texts(page, ".glance dt") == ["Question", "Recorded", "Answer says", "Ended", "Failures"]
    question = page.all(".glance dd a")[0]
    words = "We are solving the following issue. Issue Times lose their precision. word word"
    assert question.text().startswith(words)
    assert len(question.text()) <= 200
    assert question.attributes["href"] == "#m-2"
    # Wherever a page begins: the run is known as a whole.
    for path in (f"/messages/{ID}-40", "?range=40-44", "?order=desc"):
        page = Page.of(client.get(f"/completions/{ID}{path}"))
        question = page.all(".glance dd a")[0]
        assert question.text().startswith(words)
        assert (question.attributes["href"] or "").endswith("#m-2")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (calls("look", "book", start=90), "calls look, book"),
        ({"role": "assistant", "content": ""}, "no text"),
        ({"role": "assistant", "content": None, "refusal": "I will not."}, "I will not."),
    ],
    ids=["calls", "empty", "refusal"],
)
def test_an_answer_without_a_text_is_said_by_what_it_has(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path, answer: Json, said: str
) -> None:
    messages = [{"role": "user", "content": "Go on"}] * 20
    choice = {"index": 0, "message": answer, "finish_reason": "stop"}
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps({"id": ID, "messages": messages, "choices": [choice]}) + "\n")
    load(path)
    assert texts(Page.of(client.get(f"/completions/{ID}")), ".glance dd")[1] == said


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_results_are_under_their_calls_and_their_places_link_there(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path, order: str
) -> None:
    blocks = [
        {"type": "tool_result", "tool_use_id": "c3", "content": "Error: no seat"},
        {"type": "tool_result", "tool_use_id": "c9", "content": "nobody asked"},
    ]
    messages: list[Json] = [
        calls("look", "book", "pay", start=1),
        result(2),
        {"role": "user", "content": "And?"},
        result(1, "found late"),
        {"role": "user", "content": blocks},
    ]
    answer = {"role": "assistant", "content": "All is done."}
    line = {"id": ID, "messages": messages, "choices": [{"index": 0, "message": answer}]}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    load(tmp_path / "one.jsonl")
    page = Page.of(client.get(f"/completions/{ID}?view=full&order={order}"))

    first, second, third = (page.all(f"#m-1-call-{n} .result .bubble")[0] for n in (1, 2, 3))
    assert "found late" in first.text() and "arrived as message 4" in readable(first)
    assert "done" in second.text() and "arrived" not in second.text()
    assert "Error: no seat" in third.text() and third.attributes["id"] == "m-5-result-1"
    assert [state[:5] for state in texts(page, ".call-head .row-state")] == ["error"]
    stubs = texts(page, ".page > .stub") + texts(page, "#m-5 .stub")
    assert stubs == [
        "4 tool result of call 1 look, shown there",
        "result of call 3 pay, shown there",
    ]
    links = [link.attributes["href"] for link in page.all(".stub a")]
    assert sorted(links, key=str) == ["#m-4", "#m-5-result-1"]
    assert "nobody asked" in texts(page, "#m-5").pop()
    ids = [node.attributes["id"] for node in page.all("[id]")]
    assert len(ids) == len(set(ids))


def test_the_calls_of_the_answer_are_counted_with_the_others(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    said = [{"role": "user", "content": "More."}, {"role": "assistant", "content": "Of what?"}]
    messages: list[Json] = [calls("look", start=1), result(1), *said * 10]
    line = {
        "id": ID,
        "messages": messages,
        "choices": [{"index": 0, "message": calls("book", start=2)}],
    }
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    load(tmp_path / "one.jsonl")
    found = texts(Page.of(client.get(f"/completions/{ID}")), ".roles > *")
    assert "calls 2" in found
    assert found[-1] == "of 22 messages before the answer, and its call"


def test_the_first_page_counts_the_whole_run(run_client: FlaskClient) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}"))

    assert len(page.bubbles) == 20 + 20 + 1
    assert texts(page, ".roles > *") == [
        *("user 3", "assistant 30", "calls 30", "failed calls 2"),
        "1 call without a result",
        "of 62 messages before the answer",
    ]
    assert texts(page, ".run-details > summary") == ["2 tools used · failures in order"]
    (sequence,) = texts(page, ".sequences li")
    assert sequence.startswith("book ×2 ✗ failed → ✓ succeeded messages 52–57, recovered")
    assert sequence.endswith("52 ×2: no seat error message")
    assert texts(page, ".run-table tbody th") == ["look", "book"]


@pytest.mark.parametrize("start", ["", f"/messages/{ID}-40", f"/messages/{ID}-52"])
def test_every_link_leads_to_what_it_names(run_client: FlaskClient, start: str) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}{start}"))

    links = page.all(".run-lacks, .bar-links a, .sequences a, .run-table a")
    targets = [link.attributes["href"] or "" for link in links]
    anchored = [target for target in targets if "#" in target]
    assert len(anchored) >= 7
    for target in anchored:
        address, _, anchor = target.partition("#")
        there = Page.of(run_client.get(address)) if address else page
        assert there.all(f"#{anchor}"), target


def test_the_bar_leads_to_the_answer_and_the_first_failure(run_client: FlaskClient) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}"))

    assert page.link("Answer") == "#choice-0"
    assert page.link("2 failed calls") == "#m-52-call-1"


@pytest.mark.parametrize(
    ("only", "shown"), [("user", 3), ("assistant", 30), ("calls", 30), ("failures", 2)]
)
def test_a_filter_leaves_out_the_others_and_counts_them(
    run_client: FlaskClient, only: str, shown: int
) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}?only={only}&limit=100"))

    top_level = page.all("section.page:not(.outputs) > .bubble")
    hidden = [int(text.split()[0]) for text in texts(page, ".left-out")]
    nested = page.all("section.page .result > .bubble")
    assert len(top_level) == shown
    assert sum(hidden) + len(top_level) + len(nested) == 62
    assert page.all("#choice-0")
    assert len(page.all(".role-chip[aria-current]")) == 1


@pytest.mark.parametrize("only", ["user", "system", "calls", "failures"])
def test_with_all_pages_at_once_one_line_counts_what_is_left_out_between_two_messages(
    run_client: FlaskClient, only: str
) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}?only={only}&limit=5&all=1"))

    lines = page.all(".page > *")
    kinds = ["left-out" in (line.attributes["class"] or "") for line in lines]
    assert (True, True) not in set(pairwise(kinds))
    hidden = [int(text.split()[0]) for text in texts(page, ".left-out")]
    shown = page.all("section.page:not(.outputs) > .bubble, section.page .result > .bubble")
    assert sum(hidden) + len(shown) == 62


@pytest.mark.parametrize(
    "query", ["", "&order=desc", "&only=user", "&only=calls", "&only=failures"]
)
def test_with_all_pages_at_once_ribbon_and_links_lead_to_all_that_is_shown(
    run_client: FlaskClient, query: str
) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}?all=1&limit=5{query}"))

    links = [link.attributes["href"] or "" for link in page.all(".ribbon a")]
    inside = {link for link in links if link.startswith("#")}
    bubbles = page.all("article.bubble[id]")
    assert inside == {f"#{bubble.attributes['id']}" for bubble in bubbles}
    assert len(page.all(".ribbon [data-here]")) >= len(inside)


def test_a_filter_shows_what_it_counts_or_says_how_much_of_it(run_client: FlaskClient) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}"))
    whole = Page.of(run_client.get(page.link("failed calls 2") or ""))
    heads = texts(whole, "section.page:not(.outputs) > .bubble > .bubble-head .number")
    assert heads == ["52", "54"]
    assert not whole.all(".roles > .run-part > a")

    part = Page.of(run_client.get(f"/completions/{ID}?only=user&limit=5"))
    assert "of 3 on this page" in " ".join(texts(part, ".roles"))
    whole = Page.of(run_client.get(part.link("show the others") or ""))
    assert len(whole.all('section.page > .bubble[data-role="user"]')) == 3


def test_a_filter_holds_for_the_pages_that_follow(run_client: FlaskClient) -> None:
    start = f"/completions/{ID}?only=failures&limit=30&after={ID}-14"
    page = Page.of(run_client.get(start))
    after = page.all("#more a.button")[0].attributes["href"] or ""
    assert "only=failures" in after

    page = Page.of(run_client.get(after, headers=AS_FRAGMENT))
    assert len(page.all("section.page:not(.outputs) > .bubble")) == 2


def test_an_unknown_filter_is_refused(run_client: FlaskClient) -> None:
    assert run_client.get(f"/completions/{ID}?only=nothing").status_code == 400


def test_a_short_transcript_without_failures_has_no_summary(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "Hello", "Hello again")

    assert not Page.of(fake_client.get(f"/completions/{ID}")).all(".run")


def test_with_another_server_a_run_is_counted_when_a_reader_asks(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(250)))

    page = Page.of(fake_client.get(f"/completions/{ID}"))
    assert texts(page, ".roles > *") == [
        "user 21",
        "counted on 21 of 250 messages · count the whole run",
    ]
    page = Page.of(fake_client.get(page.link("count the whole run") or ""))
    assert texts(page, ".role-chip") == ["user 250"]
    requests = len(fake.requests)
    page = Page.of(fake_client.get(f"/completions/{ID}"))
    assert texts(page, ".role-chip") == ["user 250"]
    assert len(fake.requests) <= requests + 3


def test_a_run_replaced_under_its_id_is_counted_anew(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(150)))
    fake_client.get(f"/completions/{ID}?whole=1")
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(130)), created=2)

    page = Page.of(fake_client.get(f"/completions/{ID}?whole=1"))
    assert texts(page, ".role-chip") == ["user 130"]


def test_the_outline_has_a_line_for_each_turn_and_series_of_calls(run_client: FlaskClient) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}"))

    assert texts(page, ".outline-lines a") == [
        "1 user Go on",
        "2 look ×5",
        "12 user And then?",
        "13 look ×15",
        "43 user And then?",
        "44 look ×4",
        "52 book ×3, ✗ 2 failed",
        "58 look ×3",
        "answer All is done.",
    ]


def test_the_ribbon_has_a_linked_cell_for_each_message_out_of_the_tab_order(
    run_client: FlaskClient,
) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}"))

    cells = page.all(".ribbon a")
    assert len(cells) == 63
    assert {cell.attributes["tabindex"] for cell in cells} == {"-1"}
    assert len(page.all('.ribbon > svg [data-kind="failed"]')) == 2
    assert len(page.all(".ribbon > svg [data-here]")) == 20 + 20 + 1
    label = page.one(".ribbon .visually-hidden").text()
    assert "62 messages, 3 user turns, 30 calls, 2 failed calls, and the answer" in label


def test_a_run_of_very_many_messages_has_a_bounded_ribbon_and_outline(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(1700)))

    page = Page.of(fake_client.get(f"/completions/{ID}?whole=1"))
    assert texts(page, ".role-chip") == ["user 1,700"]
    assert len(page.all(".ribbon a")) <= 400
    assert len(page.all(".outline-lines li:not(.outline-gap)")) == 1000
    assert len(page.all(".outline-gap")) == 1
    assert texts(page, ".outline-lines li")[-1] == "answer An answer"


def test_the_lines_that_an_outline_leaves_out_are_counted_and_reached_by_a_link(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_run(tmp_path / "run.jsonl", count=1500))

    page = Page.of(client.get(f"/completions/{ID}"))
    lines = texts(page, ".outline-lines li")
    assert "52 book ×3, ✗ 2 failed" in lines
    assert lines[-1] == "answer All is done."
    [gap] = page.all(".outline-gap")
    assert len(lines) == 1001
    assert texts(page, ".outline-gap") == ["⋮ 479 more lines"]

    # Where the link leads the outline has the lines that were left out.
    left_out = gap.attributes["data-number"]
    there = Page.of(client.get(page.one(".outline-gap > a").attributes["href"] or ""))
    assert there.all(f'.outline-lines [data-number="{left_out}"]:not(.outline-gap)')


def test_the_row_of_a_failed_call_says_so_and_why(run_client: FlaskClient) -> None:
    page = Page.of(run_client.get(f"/completions/{ID}?only=failures&limit=100&view=compact"))

    failed = page.all('.row-state[data-state="error"]')
    assert [one.attributes["title"] for one in failed] == ["error message: Error: no seat"] * 2


@pytest.mark.parametrize("view", ["compact", "full"])
def test_a_call_says_its_number_in_the_run(run_client: FlaskClient, view: str) -> None:
    address = f"/completions/{ID}?view={view}"
    page, following, *_ = pages_from(run_client, address, fragments=True)

    titles = texts(page, ".call-place")
    further = texts(following, ".call-place")
    assert [*titles, *further][:10] == [f"call {number} of 30" for number in range(1, 11)]
    assert further[0] == f"call {len(titles) + 1} of 30"


def test_a_part_of_a_run_says_no_number_that_it_does_not_know(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(250)))
    for at in range(0, 250, 2):
        fake.completions[ID].messages[at] |= calls("look", start=at)

    def places(path: str) -> list[str]:
        return texts(Page.of(fake_client.get(f"/completions/{ID}{path}")), ".call-place")

    assert places("")[:2] == ["call 1", "call 2"]
    assert places(f"?after={ID}-99")[:2] == ["call 101.1", "call 103.1"]
    assert places("?whole=1")[:2] == ["call 1 of 125", "call 2 of 125"]


ASKED: Json = {"role": "user", "content": "Will it rain?"}
GOT: Json = {"type": "tool_result", "tool_use_id": "c1", "content": "sun"}
GOT_TOO: Json = {"type": "tool_result", "tool_use_id": "c2", "content": "wind"}
SAID: Json = {"type": "text", "text": "Will it rain?"}


@pytest.mark.parametrize(
    ("messages", "users"),
    [
        ([{"role": "user", "content": [GOT]}, ASKED], 1),
        ([{"role": "user", "content": [GOT, GOT_TOO]}, ASKED], 1),
        ([{"role": "user", "content": [GOT, GOT_TOO, SAID]}], 1),
        ([ASKED, calls("look", "look", start=1), {"role": "user", "content": [GOT, GOT_TOO]}], 1),
        ([{"role": "tool", "tool_call_id": "c1", "content": "sun"}, ASKED, ASKED], 2),
    ],
    ids=["one result", "results", "results with text", "after their calls", "of OpenAI's API"],
)
def test_a_user_message_of_results_is_not_what_the_user_said(
    client: FlaskClient,
    load: Callable[[Path], None],
    tmp_path: Path,
    messages: list[Json],
    users: int,
) -> None:
    answer = {"index": 0, "message": {"role": "assistant", "content": "No."}}
    line = {"id": ID, "messages": messages, "choices": [answer]}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    load(tmp_path / "one.jsonl")

    [row] = Page.of(client.get("/completions")).rows
    whole = Page.of(client.get(f"/completions/{ID}?view=full"))
    of_users = Page.of(client.get(f"/completions/{ID}?view=full&only=user"))

    assert row.question == "Will it rain?"
    assert "Will it rain?" in whole.one("title").text()
    assert [bubble.role for bubble in of_users.bubbles].count("user") == users


def test_system_and_developer_messages_have_filters_of_their_own(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    roles = ["developer", "system", "user", "system"] * 10
    messages: list[Json] = [{"role": role, "content": f"By {role}."} for role in roles]
    answer = {"index": 0, "message": {"role": "assistant", "content": "No."}}
    line = {"id": ID, "messages": messages, "choices": [answer]}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    load(tmp_path / "one.jsonl")

    page = Page.of(client.get(f"/completions/{ID}?only=system&limit=100"))

    assert texts(page, ".role-chip") == ["user 10", "system 20", "developer 10"]
    assert [bubble.role for bubble in page.bubbles] == ["system"] * 20 + ["assistant"]


def test_what_metadata_say_of_the_outcome_is_beside_the_answer_and_in_the_summary(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    messages = [{"role": "user", "content": f"Step {at}."} for at in range(15)]
    choice = {"index": 0, "message": {"role": "assistant", "content": "Done."}}
    metadata = {"team": "seven", "reward": "0.0", "is_resolved": "false"}
    line = {"id": ID, "messages": messages, "choices": [choice], "metadata": metadata}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    load(tmp_path / "one.jsonl")

    page = Page.of(client.get(f"/completions/{ID}"))
    assert texts(page, ".outputs .outcomes dt") == ["✗ reward", "✗ is_resolved"]
    assert texts(page, ".outputs .outcomes dd") == ["0.0", "false"]
    # Beside what the answer says, with the links that filter.
    assert texts(page, ".glance dt")[:2] == ["Recorded", "Answer says"]
    record = "✗ reward 0.0 · ✗ is_resolved false not recorded as a success"
    assert texts(page, ".glance dd")[0] == record
    assert texts(page, ".about .metadata dt") == ["team"]
    assert page.link("0.0") == "/completions?metadata%5Breward%5D=0.0"
    assert texts(page, ".glance-lines") == [
        "No calls. Failures are looked for in results of calls only"
    ]
    assert texts(page, ".ribbon-key li")[:-1] == ["user", "answer"]
