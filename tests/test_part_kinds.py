"""Every kind of part has its template and bubble, and is in searches, exports, lists and outlines.

The parts are those of the bubbles in `tests/fixtures/bubbles`; a new kind fails until one shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final, get_args

import pytest
from flask import Flask
from selectolax.lexbor import LexborHTMLParser

from tests.support.gallery import fixtures
from tests.support.real_transcripts import lines_to_look_at
from webapp.analysis.runs import analyze_run
from webapp.analysis.searching import iter_places
from webapp.app import open_templates
from webapp.completions import Completion
from webapp.embedded.documents.facts import extract_facts
from webapp.embedded.documents.passages import read_message
from webapp.exact_json import Object, Value, parse
from webapp.exports import Transcript, iter_html, iter_markdown
from webapp.finding import fold_text
from webapp.messages import Choice, Message, Part
from webapp.reading.previews import preview_answer, preview_question
from webapp.templating.outlines import OutlineLine, list_outline
from webapp.templating.runs import RunLinks
from webapp.transcript import arrange

KINDS: Final = [part.kind for part in get_args(Part)]
SILENT: Final = {"image": "image", "input_audio": "audio", "redacted_reasoning": "encrypted"}
"""The kinds that have no words to search for, with the words of exports for them."""
MEDIA: Final = {"image": ["image"], "input_audio": ["audio"], "audio": ["audio"], "file": ["file"]}
"""The `has:` filter of each kind."""

WORD: Final = re.compile(r"[^\W_]{4,}")


@pytest.fixture(scope="module")
def viewer() -> Iterator[Flask]:
    app = open_templates()
    with app.test_request_context():
        yield app


def completions() -> Iterator[tuple[Object, tuple[Value, ...]]]:
    """Yield the completions of the bubbles and the real ones, with their input messages."""
    for fixture in fixtures():
        completion = parse(fixture.completion().decode())
        assert isinstance(completion, Object)
        yield completion, tuple(map(parse, fixture.messages))
    for lines in lines_to_look_at().values():
        for completion in map(parse, lines):
            assert isinstance(completion, Object)
            yield completion, completion.items("messages") or ()


@cache
def examples() -> dict[str, tuple[Message, str]]:
    """Find a part of each kind in the bubbles, as a message of its own, with a word to search."""
    found: dict[str, tuple[Message, str]] = {}
    for fixture in fixtures():
        answers = Completion.from_json(parse(fixture.completion().decode())).choices
        messages = [Message.from_json(parse(text)) for text in fixture.messages]
        for message in (*messages, *(one.message_or_empty for one in answers)):
            for part in message.parts:
                alone = Message(message.json, role="assistant", parts=(part,))
                places = iter_places(arrange([alone], first=1)[0])
                words = [word for place in places for word in WORD.findall(place.text)]
                if words or part.kind in SILENT:
                    found.setdefault(part.kind, (alone, max(words, key=len, default="")))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_part_has_a_template_and_a_bubble(viewer: Flask, kind: str) -> None:
    show = viewer.jinja_env.get_template(f"parts/{kind}.html").module.__dict__["show"]

    assert show.arguments == ("view", "entry", "context")
    assert kind in examples()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_part_is_in_both_searches_and_in_exports(viewer: Flask, kind: str) -> None:
    message, word = examples()[kind]
    said = read_message(message)
    transcript = Transcript("c", Completion.from_json(parse("{}")), [message])
    markdown = "".join(iter_markdown(transcript))
    body = LexborHTMLParser("".join(iter_html(transcript, viewer.jinja_env, ""))).body
    assert body is not None

    # The words come from the search in a transcript.
    assert (kind in SILENT) == (not word)
    assert fold_text(word) in "".join(text for _, text in said.list_passages())
    assert [kind for kind, _ in said.media] == MEDIA.get(kind, [])
    for exported in (markdown, body.html or ""):
        assert SILENT.get(kind, word).lower() in exported.lower()


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_alone_is_not_blank_in_the_list_and_the_outline(kind: str) -> None:
    message, _ = examples()[kind]
    asked, answered = replace(message, role="user"), Choice(message.json, 0, message, "stop")
    run = analyze_run(arrange([asked], first=1), None, is_whole=True, checks=False)
    [line] = list_outline(run, RunLinks("c", run, here=[run.messages[0].anchor]))
    assert isinstance(line, OutlineLine)
    question = preview_question([asked])
    answer = preview_answer(replace(Completion.from_json(parse("{}")), choices=(answered,)))

    assert line.words
    assert question.text or question.marks
    assert answer.text or answer.marks


def test_the_passages_that_a_text_cites_are_in_exports(viewer: Flask) -> None:
    [fixture] = [one for one in fixtures() if one.name.endswith("quoted-passages")]
    transcript = Transcript("c", Completion.from_json(parse(fixture.completion().decode())), [])
    exported = "".join(iter_markdown(transcript))

    assert "1. Colours, document 0, characters 0 to 20, “The grass is green\\.”" in exported
    assert "1. Sky, <https://sky.example/blue>, “It is \\<b\\>blue\\</b\\>\\.”" in exported
    assert "2. Sky notes, `kb/sky`, search result 0, blocks 2 to 3, “Blue by day\\.”" in exported


def test_the_search_of_the_store_finds_what_the_search_of_a_transcript_finds() -> None:
    missing = []
    for completion, inputs in completions():
        passages = "".join(one.text for one in extract_facts(completion, inputs).passages)
        messages = list(map(Message.from_json, inputs))
        messages += [one.message_or_empty for one in Completion.from_json(completion).choices]
        for entry in arrange(messages, first=1):
            for place in iter_places(entry):
                # A message that is a text alone is shown as JSON, and searched as its text.
                is_as_given = entry.message.bare is None and place.text != "no name"
                if is_as_given and fold_text(place.text) not in passages:
                    missing.append((place.label, place.text[:100]))
    assert missing == []
