"""Content that nobody thought of, made of fragments of the corpus: no exception, nothing lost."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from html import unescape
from typing import Final, TypeVar

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.rules import assert_harmless, lexemes, shown_exactly, words
from tests.support.any_json import json_texts, texts
from tests.support.fake_upstream import FakeUpstream, Reply, stored
from tests.support.pages import SOURCE, Page
from tools.hostile.attachments import IMAGES, SOUNDS
from tools.hostile.characters import ANSI, UNICODE
from tools.hostile.fields import POLYGLOT
from tools.hostile.injection import MUTATIONS, TAGS
from tools.hostile.markdown_tricks import MARKDOWN, MATHS
from webapp.exact_json import NotJson, indent, parse
from webapp.media import InlineMedia, NotMedia, detect_format
from webapp.messages import Message
from webapp.rendering import StructureBudget, detect_structure, render_markdown, reveal_invisible
from webapp.rendering.structured.ansi import render_ansi

T = TypeVar("T")

CREATED: Final = itertools.count(1_758_039_103)
SHORT: Final = 400
FRAGMENTS: Final = tuple(
    text
    for texts_of in (TAGS, MUTATIONS, MARKDOWN, MATHS, ANSI, UNICODE)
    for text in texts_of.values()
    if len(text) < SHORT
)
SIGNS: Final = st.text("[]()<>!*_~`#|-+>:=\\$&;'\"{}^. \t\n\r0x\x1b\u202e\ufdd0\ufdd1", max_size=8)
PIECES: Final = SIGNS | st.sampled_from(FRAGMENTS) | texts
CUT: Final = st.builds(
    lambda text, at: text[at % (len(text) or 1) :], PIECES, st.integers(0, SHORT)
)
TEXTS: Final = st.lists(PIECES | CUT, max_size=8).map("".join)
OPENINGS: Final = (
    *('](https://evil.example/ "', "](https://evil.example/", "](<", "![", "[", '")', ")", "<b "),
    *("```", "\n```\n", "~~~", "$$", "$", "\\(", "\\[", "\\text{", "\\frac{", "}", "<!--", "-->"),
    *("\n| ", " | ", "\n|-|-|\n|", "\n- [ ] ", "\n# ", "\n> ", "\n    ", "\n\n", "&", ">"),
    *("<think>", "</think>", "https://evil.example/", "www.", "@evil.example", "<https://"),
)
NUMBERS: Final = st.integers(-3, 400) | st.none() | st.just(10**20)


def fuzzed(test: Callable[..., T]) -> Callable[..., T]:
    """The same cases everywhere; fixtures are shared, since the tested code keeps no state."""
    shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        deadline=None, derandomize=True, max_examples=150, suppress_health_check=shared
    )(test)


@st.composite
def told_words(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A text of hostile signs around words that each occur once, and these words."""
    pieces = draw(st.lists(SIGNS | st.sampled_from(OPENINGS), min_size=1, max_size=12))
    names = [f"kw{at}q" for at in range(len(pieces))]
    return "".join(piece + name for piece, name in zip(pieces, names, strict=True)), names


def citations(ranges: list[tuple[int | None, int | None]]) -> list[object]:
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "url": "https://evil.example/",
                "title": "t",
                "start_index": start,
                "end_index": end,
            },
        }
        for start, end in ranges
    ]


def message_of(**members: object) -> Message:
    return Message.from_json(parse(json.dumps(members)))


@fuzzed
@given(TEXTS, st.lists(st.tuples(NUMBERS, NUMBERS), max_size=6))
def test_any_text_with_any_citations_becomes_harmless_markdown(
    text: str, ranges: list[tuple[int | None, int | None]]
) -> None:
    message = message_of(content=text, annotations=citations(ranges))
    html = render_markdown(
        text, annotations=message.annotations, anchor="m-1", own_host="localhost"
    ).html
    assert_harmless(Page(f'<main><article class="bubble">{html}</article></main>'))


@fuzzed
@given(told_words(), st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4))
def test_every_word_of_a_text_is_in_its_markdown(
    told: tuple[str, list[str]], ranges: list[tuple[int | None, int | None]]
) -> None:
    """But for what Markdown itself leaves to the source.

    These are definitions of references, words behind the language of a fence, and cells beyond
    the columns of a table.
    """
    text, names = told
    message = message_of(content=text, annotations=citations(ranges))
    html = render_markdown(text, annotations=message.annotations, anchor="m-1").html
    page = Page(f"<main>{html}</main>")
    for mark in page.all("sup"):
        mark.decompose()
    shown = unescape(page.one("main").html or "").lower()
    if not any(sign in text for sign in ("]:", "```", "~~~", "|")):
        assert [name for name in names if name not in shown] == []


@fuzzed
@given(TEXTS)
def test_a_source_with_marks_around_what_is_invisible_is_the_text_itself(text: str) -> None:
    shown = Page(f"<pre>\n{reveal_invisible(text)}</pre>").one("pre").text()
    wanted = shown_exactly(text)
    assert words(shown) == words(wanted)
    assert sorted(set(wanted) - {"\r", "\n"}) == sorted(set(shown) - {"\r", "\n"})


@fuzzed
@given(st.lists(json_texts | TEXTS, max_size=3).map("".join))
def test_what_is_json_keeps_its_signs_and_what_is_not_says_where(text: str) -> None:
    try:
        parse(text)
    except NotJson as problem:
        assert 0 <= problem.position <= len(text)
        assert problem.line == text.count("\n", 0, problem.position) + 1
        return
    indented = indent(parse(text))
    assert lexemes(indented) == lexemes(text)
    assert parse(indented).source.strip() == indented.strip()


@fuzzed
@given(st.lists(st.sampled_from(list(ANSI.values())) | SIGNS | texts, max_size=6).map("".join))
def test_any_output_of_a_terminal_is_harmless_text(text: str) -> None:
    html = render_ansi(text).html
    assert_harmless(Page(f'<main><article class="bubble"><pre>{html}</pre></article></main>'))


@fuzzed
@given(st.lists(st.tuples(st.integers(0, 120), st.sampled_from("mKHJA")), min_size=1, max_size=9))
def test_colours_take_no_word_away(codes: list[tuple[int, str]]) -> None:
    text = "".join(f"kw{at}q\x1b[{code}{end}" for at, (code, end) in enumerate(codes))
    shown = Page(f"<pre>{render_ansi(text).html}</pre>").one("pre").text()
    assert shown.strip() == "".join(f"kw{at}q" for at in range(len(codes)))


@fuzzed
@given(TEXTS | json_texts, st.sampled_from(["tool", "user", "system", "assistant"]))
def test_any_text_read_as_a_structure_is_harmless(text: str, role: str) -> None:
    message = message_of(role=role, content=text)
    view = detect_structure(text, message=message, budget=StructureBudget()).view
    assert_harmless(Page(f'<main><article class="bubble">{view}</article></main>'))


HEADS: Final = st.sampled_from(
    [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBPVP8X", b"ID3\4\0\0"]
    + [b"RIFF\xff\xff\xff\xffWAVEfmt ", b"\0\0\0\x1cftypavif", b"OggS", b"fLaC\0\0\0\x22"]
    + [b"\xff\xf1", b"\xff\xfb", b"%PDF-", b"<svg", b""]
)
BYTES: Final = st.builds(lambda head, rest: head + rest, HEADS, st.binary(max_size=200))
CLAIMS: Final = st.none() | st.sampled_from(["pcm16", "wav", "mp3", "opus", POLYGLOT])


@fuzzed
@given(BYTES)
def test_the_format_of_any_bytes_is_told_and_never_one_that_runs(data: bytes) -> None:
    found = detect_format(data)
    shown_in_place = found.shown_as in ("image", "audio")
    assert not shown_in_place or re.fullmatch("(image|audio)/[a-z0-9]+", found.mimetype)
    assert "svg" not in found.mimetype or not shown_in_place
    assert "html" not in found.mimetype


@fuzzed
@given(
    st.sampled_from(list(IMAGES.values()))
    | st.sampled_from([data for data, _ in SOUNDS.values()])
    | BYTES.map(lambda data: f"data:x/y;base64,{data.hex()}")
    | st.builds("data:{}{},{}".format, texts, st.sampled_from(["", ";base64"]), texts)
    | texts,
    CLAIMS,
)
def test_any_media_are_described_and_decoded_or_refused(text: str, claim: str | None) -> None:
    media = InlineMedia(text, claim)
    assert media.size >= 0
    assert media.format.word
    assert media.image_size is None or min(media.image_size) > 0
    kept = InlineMedia.from_kept(media.kept)
    assert kept.text == text
    try:
        assert media.decode() == kept.decode()
    except NotMedia as problem:
        assert str(problem)


@fuzzed
@given(TEXTS, texts, st.sampled_from(["user", "assistant", "tool", "system", POLYGLOT]))
def test_any_message_is_a_bubble_that_has_its_source(
    fake: FakeUpstream, fake_client: FlaskClient, text: str, name: str, role: str
) -> None:
    sent = {
        "id": "chatcmpl-1-0",
        "role": role,
        "name": name,
        "content": text,
        "tool_calls": [
            {"id": name, "type": "function", "function": {"name": name, "arguments": text}}
        ],
        "annotations": citations([(0, len(text)), (len(text) // 2, len(text))]),
        name: [text],
    }
    body = json.dumps({"object": "list", "data": [sent], "has_more": False})
    # Each message is of another completion: those of one never change.
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", choices=[], created=next(CREATED))
    fake.script("/chat/completions/chatcmpl-1/messages", Reply(200, body))
    page = Page.of(fake_client.get("/completions/chatcmpl-1"))
    assert_harmless(page)
    (bubble,) = page.bubbles
    sources = [node.text() for node in bubble.node.css(SOURCE)]
    assert not text or shown_exactly(text) in sources
