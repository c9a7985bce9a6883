"""Small files that other viewers show wrongly are imported as they are, and shown rightly."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient

from tests.support.pages import Page
from tools.paths import SHARED
from tools.store_rows import database_url
from webapp.embedded import Store, import_files

CASES: Final = SHARED / "cases" / "2"
MADE_UP: Final = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
ADDED_TO_PARTS: Final = ("image_url", "input_audio", "content_parts")


@pytest.fixture
def case(load: Callable[[Path], None]) -> Callable[[str], None]:
    """Return a function that loads the case with this name; skip the test if it is absent."""

    def load_case(name: str) -> None:
        path = CASES / f"{name}.jsonl"
        if not path.exists():
            pytest.skip(f"{path.name} is not in the shared folder beside the project")
        load(path)

    return load_case


def show(client: FlaskClient, completion_id: str) -> Page:
    return Page.of(client.get(f"/completions/{completion_id}"))


def show_all(client: FlaskClient) -> list[Page]:
    """Return the page of each row of the list, in its order."""
    rows = Page.of(client.get("/completions")).rows
    return [Page.of(client.get(row.href or "")) for row in rows]


def texts(page: Page) -> list[str]:
    """Return the texts of all messages, the answers last."""
    return [source for bubble in page.bubbles for source in bubble.sources]


def test_a_time_that_was_not_given_is_not_shown(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("03_created")

    assert not show(client, "f03-none").all(".about time")
    for name in ("f03-str", "f03-float"):
        time = show(client, name).one(".about time").attributes["datetime"]
        assert time is not None
        assert time.startswith("2025-12-17T19:33:20")
    assert "1970" not in Page.of(client.get("/completions")).text


def test_a_fine_tuning_example_has_no_time_and_its_answer(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("04_finetune_1970")

    [page] = show_all(client)

    assert not page.all(".about time")
    assert "1970" not in page.text
    assert texts(page) == ["q", "a"]


def test_a_logged_request_is_shown_with_its_answer(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("15_litellm_log")

    page = show(client, "chatcmpl-l1")

    assert texts(page) == ["q", "a"]
    assert "acompletion" in page.text


def test_a_conversation_that_waits_for_an_answer_is_shown(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("16_no_answer_yet")

    [page] = show_all(client)

    assert page.bubbles[0].sources == ["q"]
    assert [bubble.role for bubble in page.bubbles][:2] == ["user", "assistant"]
    assert len(page.bubbles[1].calls) == 1


def test_answers_whose_id_is_empty_are_both_kept(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("17_empty_id")

    pages = show_all(client)

    assert sorted(texts(page)[-1] for page in pages) == ["one", "two"]


def test_a_part_has_no_members_that_nobody_gave(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("20_made_up_members")

    page = show(client, "f20")

    assert not [name for name in ADDED_TO_PARTS if name in page.html]
    address = f"/completions/f20/messages/{page.message_ids[0]}/json"
    shown = json.loads(Page.of(client.get(address)).one("pre.json").text())
    assert shown["content"] == [{"type": "document", "title": "D"}]


def test_choices_with_one_index_are_told_apart(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("31_same_index_choices")

    page = show(client, "f31")

    assert texts(page) == ["q", "a", "b"]
    anchors = [bubble.anchor for bubble in page.bubbles]
    assert len(set(anchors)) == len(anchors)


def test_several_indented_completions_are_read_from_one_file(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("35_utf16_and_pretty")

    assert texts(show(client, "f35-a")) == ["q", "a"]
    assert texts(show(client, "f35-b")) == ["q", "b"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_the_same_completions_are_read_in_another_encoding(tmp_path: Path, encoding: str) -> None:
    path = CASES / "35_utf16_and_pretty.jsonl"
    if not path.exists():
        pytest.skip(f"{path.name} is not in the shared folder beside the project")
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(path.read_text(encoding="utf-8").encode(encoding))

    with closing(Store(database_url(tmp_path))) as store:
        report = import_files(store, [path, copy])

    assert (report.added, report.unchanged, report.bad) == (2, 2, 0)


def test_settings_that_nobody_gave_are_not_shown(
    client: FlaskClient, case: Callable[[str], None]
) -> None:
    case("36_made_up_settings")

    page = show(client, "f36")

    settings = " ".join(node.text() for node in page.all(".settings"))
    assert not [name for name in MADE_UP if name in settings]
    assert texts(page)[-1] == "temperature was never said"
