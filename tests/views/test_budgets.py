"""Every budget is a setting that acts on what it concerns: it is said, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Json, Reply, message, stored
from tests.support.pages import SOURCE, Bubble, Page, open_menu
from webapp import create_app
from webapp.config import Config, Limits

ID: Final = "chatcmpl-1"
HERE: Final = f"/completions/{ID}"
NEXT: Final = "The **next** message"


@contextmanager
def viewer(*messages: Json, **settings: str) -> Iterator[FlaskClient]:
    """A viewer of a completion of `messages` and an ordinary one behind them."""
    one = stored(ID, choices=[])
    one.messages = [message(ID, at, "") | given for at, given in enumerate(messages)]
    one.messages.append(message(ID, len(messages), NEXT, "assistant"))
    with FakeUpstream({ID: one}).serve() as base_url:
        environ = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": "sk-test-1", **settings}
        yield create_app(Config.from_environ(environ)).test_client()


def calling(arguments: str) -> Json:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@dataclass(frozen=True)
class Budget:
    """A setting, a message that is beyond it, one within it, and what the reader is told."""

    name: str
    value: str
    beyond: Json
    within: Json
    told: str


CODE: Final = "```python\nimport os\n```\n"

BUDGETS: Final = [
    Budget(
        "READBACK_MAX_BRACKETS",
        "10",
        {"content": "*a* " * 6},
        {"content": "*a* " * 5},
        "Shown as plain text: it has more than 10 brackets",
    ),
    Budget(
        "READBACK_MAX_LEVELS",
        "10",
        {"content": "> " * 11 + "deep"},
        {"content": "> " * 4 + "deep"},
        "Shown as plain text: ",
    ),
    Budget(
        "READBACK_MAX_CODE_BYTES",
        "50",
        {"content": "```python\nimport os\n" + "x = 1\n" * 9 + "```"},
        {"content": CODE},
        "",
    ),
    Budget(
        "READBACK_MAX_FORMULAS",
        "2",
        {"content": r"\(a^2\) \(b^2\) \(c^2\)"},
        {"content": r"\(a^2\) \(b^2\)"},
        "",
    ),
]


def shown(client: FlaskClient) -> list[Bubble]:
    return Page.of(client.get(HERE)).bubbles


def notes(bubble: Bubble) -> str:
    return " ".join(node.text() for node in bubble.node.css(".quiet-note"))


def next_is_unharmed(bubble: Bubble) -> bool:
    strong = bubble.node.css_first("strong")
    return strong is not None and strong.text() == "next" and not notes(bubble)


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda one: one.name)
def test_beyond_its_budget_a_text_is_shown_more_simply_with_a_note(budget: Budget) -> None:
    settings = {budget.name: budget.value}
    with viewer(budget.beyond, **settings) as client:
        first, second = shown(client)
    assert notes(first)
    assert budget.told in notes(first)
    assert first.sources == [budget.beyond["content"]]
    assert next_is_unharmed(second)


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda one: one.name)
def test_within_its_budget_there_is_no_note(budget: Budget) -> None:
    with viewer(budget.within, **{budget.name: budget.value}) as client:
        first, second = shown(client)
    assert notes(first) == ""
    assert next_is_unharmed(second)


def test_with_the_usual_budgets_none_of_them_is_beyond() -> None:
    with viewer(*(budget.beyond for budget in BUDGETS)) as client:
        assert [notes(bubble) for bubble in shown(client)] == [""] * (len(BUDGETS) + 1)


def test_a_page_has_a_budget_for_all_its_texts() -> None:
    texts = [{"content": "*a* " * 5} for _ in range(4)]
    with viewer(*texts, READBACK_MAX_PAGE_BRACKETS="25") as client:
        bubbles = shown(client)
    told = ["as one page may hold" in notes(bubble) for bubble in bubbles]
    assert told == [False, False, True, True, False]
    assert [bubble.sources for bubble in bubbles[:4]] == [["*a* " * 5]] * 4


def test_a_page_has_a_time_for_all_its_texts() -> None:
    texts = [{"content": "word *a* `b`\n\n" * 300} for _ in range(12)]
    with viewer(*texts, READBACK_RENDER_TIMEOUT="0.05", READBACK_MAX_BRACKETS="100000") as client:
        bubbles = shown(client)
    assert "Shown as plain text" in notes(bubbles[11])
    assert [bubble.sources for bubble in bubbles[:12]] == [[text["content"]] for text in texts]


def test_a_long_text_comes_in_parts_to_its_very_end() -> None:
    text = "".join(f"Line {at} of a long text.\n" for at in range(400))
    with viewer({"content": text}, READBACK_MAX_TEXT_BYTES="2000") as client:
        first, second = shown(client)
        assert "2 kB of 10 kB shown" in first.text
        assert next_is_unharmed(second)
        read = [*first.sources]
        link = first.link("Next part")
        while link:
            part = Page.of(client.get(link))
            read += [node.text() for node in part.all(SOURCE)]
            link = part.link("Next part") or ""
    assert "".join(read) == text


@pytest.mark.parametrize(
    "many",
    [
        {"content": [{"type": "text", "text": f"Part {at}."} for at in range(30)]},
        {"content": None, "role": "assistant"}
        | {
            "tool_calls": [
                {"id": f"c{at}", "type": "function", "function": {"name": f"Part-{at}."}}
                for at in range(30)
            ]
        },
    ],
    ids=["parts", "calls"],
)
def test_a_message_of_many_parts_shows_some_of_them_and_says_how_many(many: Json) -> None:
    with viewer(many, READBACK_MAX_PARTS="5") as client:
        first, second = shown(client)
        raw = Page.of(client.get(json_address(client, first))).text
    assert "5 of 30 parts shown" in " ".join(first.text.split())
    assert next_is_unharmed(second)
    assert "29." in raw


def json_address(client: FlaskClient, bubble: Bubble) -> str:
    return open_menu(client, bubble.node).link("JSON") or ""


def test_of_many_members_some_are_shown_and_the_others_are_in_the_raw_message() -> None:
    many = {f"member{at}": at for at in range(30)}
    with viewer({"content": "a"} | many, READBACK_MAX_PARTS="5") as client:
        first, second = shown(client)
        raw = Page.of(client.get(json_address(client, first))).text
    assert "The first 5 of 30 fields are shown." in notes(first)
    assert "member4" in first.text and "member29" not in first.text
    assert "member29" in raw
    assert next_is_unharmed(second)


def test_json_of_many_levels_says_below_which_it_stands_as_text() -> None:
    text = '{"a":' * 9 + '"innermost"' + "}" * 9
    with viewer({"role": "tool", "content": text}, READBACK_MAX_TREE_LEVELS="3") as client:
        first, second = shown(client)
    assert "nested deeper than 3 levels" in first.text and "innermost" in first.text
    assert next_is_unharmed(second)


@pytest.mark.parametrize("role", ["user", "tool"])
def test_a_json_text_of_many_values_says_how_many_stand_in_its_tree(role: str) -> None:
    text = json.dumps({f"key{at}": at for at in range(400)})
    with viewer({"role": role, "content": text}, READBACK_MAX_VALUES="50") as client:
        first, second = shown(client)
    assert text in first.text or "key399" in first.text
    assert next_is_unharmed(second)


def test_an_answer_beyond_the_bytes_that_are_read_says_so_on_the_page() -> None:
    with viewer({"content": "x" * 5_000}, READBACK_MAX_BYTES="4096") as client:
        page = Page.of(client.get(HERE), 502)
        assert "The server's answer is larger than 4,096 bytes." in page.notices[0]
        assert "READBACK_MAX_BYTES" in page.notices[0]
        raw = page.link("JSON")
        assert raw is not None
        assert Page.of(client.get(raw)).one("pre.json")


# JSON without an end to its levels

LEVELS: Final = 10_000
"""Ten times the calls that Python nests: enough that any recursion would fail."""

DEEP: Final = "[" * LEVELS + "]" * LEVELS


@pytest.mark.parametrize(
    "deep",
    [
        calling(DEEP),
        calling('{"a":' * LEVELS),
        {"content": DEEP},
        {"role": "tool", "tool_call_id": "c", "content": DEEP},
    ],
    ids=["arguments", "cut arguments", "a text", "a result"],
)
def test_a_text_of_very_deep_json_is_shown(deep: Json) -> None:
    with viewer(deep) as client:
        first, second = shown(client)
        assert next_is_unharmed(second)
        assert "[[[[" in first.text or '{"a":{"a":' in first.text or "nested" in first.text
        assert client.get(json_address(client, first)).status_code == 200


MEMBERS: Final[dict[str, str]] = {
    "content": '"content":{}',
    "part": '"content":[{}]',
    "member of a part": '"content":[{{"type":"text","text":"a","more":{}}}]',
    "calls": '"tool_calls":[{}]',
    "annotations": '"annotations":[{}]',
    "name": '"name":{}',
    "unknown member": '"invented":{}',
}


@pytest.mark.parametrize("place", MEMBERS)
def test_very_deep_json_in_a_message_is_shown(place: str) -> None:
    odd = f'{{"id":"{ID}-0","role":"user",{MEMBERS[place].format(DEEP)}}}'
    after = json.dumps(message(ID, 1, NEXT, "assistant"))
    body = f'{{"object":"list","data":[{odd},{after}],"has_more":false}}'
    fake = FakeUpstream({ID: stored(ID, choices=[])})
    assert_shown(fake, f"/chat/completions/{ID}/messages", body)


@pytest.mark.parametrize("name", ["metadata", "usage", "tools", "choices", "model", "invented"])
def test_very_deep_json_in_a_completion_is_shown(name: str) -> None:
    deep = '{"a":' * LEVELS + "1" + "}" * LEVELS
    value = f"[{deep}]" if name in ("tools", "choices") else deep
    body = f'{{"id":"{ID}","created":1,"choices":[],"{name}":{value}}}'
    one = stored(ID, choices=[])
    one.messages = [message(ID, 0, "One"), message(ID, 1, NEXT, "assistant")]
    assert_shown(FakeUpstream({ID: one}), f"/chat/completions/{ID}", body)


def assert_shown(fake: FakeUpstream, path: str, body: str) -> None:
    """The transcript, with `body` as one of the answers it is made of."""
    fake.script(path, Reply(200, body))
    with fake.serve() as base_url:
        limits = Limits(max_retries=0, page_timeout=120.0)
        client = create_app(Config(openai_base_url=base_url, limits=limits)).test_client()
        bubbles = Page.of(client.get(HERE)).bubbles
    assert any(next_is_unharmed(bubble) for bubble in bubbles)
