"""Marks of cited sources: at the right place, and never at the cost of the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.any_json import TRANSCRIPTS, checked
from tests.rendering.reading_html import all_text, assert_harmless, links, parsed
from webapp.exact_json import Object, parse
from webapp.messages import Annotation, Message, Text, Unknown, UrlCitation
from webapp.rendering import markdown
from webapp.rendering.citations import CLOSE, OPEN, place_marks
from webapp.rendering.markdown import MAX_BRACKETS

SOURCE = parse('{"source": true}')


def cited(start: int | None, end: int | None) -> UrlCitation:
    return UrlCitation(
        json=SOURCE, url="https://s.example", title=None, start_index=start, end_index=end
    )


def ranges(text: str) -> tuple[str, list[UrlCitation]]:
    """`text` without its braces, and a citation of what stands between each pair of them."""
    clean = re.sub("[{}]", "", text)
    pairs = zip(re.finditer("{", text), re.finditer("}", text), strict=True)
    return clean, [
        cited(first.start() - 2 * place, last.start() - 2 * place - 1)
        for place, (first, last) in enumerate(pairs)
    ]


def html(text: str, annotations: list[UrlCitation]) -> str:
    found = str(markdown(text, annotations=annotations, anchor="m-1").html)
    assert_harmless(found)
    assert not set(OPEN + CLOSE) & set(found)
    return found


def marked(text: str) -> str:
    """The text that is shown for `text`, marks as `[1]`; braces tell what is cited."""
    found = html(*ranges(text))
    return re.sub(r"\s+", " ", all_text(re.sub(r"<sup[^>]*>(.*?)</sup>", r"[\1]", found))).strip()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{One.} Two.", "One.[1] Two."),
        ("{One}. {Two.}", "One[1]. Two.[2]"),
        ("One {two} three", "One two[1] three"),
        ("{One. }Two.", "One.[1] Two."),
        ("**{bold}** text", "bold[1] text"),
        ("{**bold**} text", "bold[1] text"),
        ("{**Bold sentence.**} text", "Bold sentence.[1] text"),
        ('{*"Quoted"*}(x)', '"Quoted"[1](x)'),
        ("{one} *two*", "one[1] two"),
        ('{one} **"two"**', 'one[1] "two"'),
        ("- {one}\n- {two}", "one[1] two[2]"),
        ("{# Title}\ntext", "Title[1] text"),
        ("> {quoted}", "quoted[1]"),
    ],
)
def test_a_mark_stands_behind_what_is_cited(text: str, shown: str) -> None:
    assert marked(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{line\n}# Title", "line[1] Title"),
        ("{line\n\n}- item", "line[1] item"),
        ("{text\n}```\ncode\n```", "text[1] code"),
        ("{text\n---\n}more", "text[1] more"),
        ("{Title\n===}\nmore", "Title[1] more"),
    ],
)
def test_a_mark_at_the_edge_of_a_block_belongs_to_the_words_before(text: str, shown: str) -> None:
    assert marked(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see `{co}de` now", "see code[1] now"),
        ("{```\ncode\n```}\nmore", "code [1] more"),
        ("```\n{code}\nmore\n```\nend", "code more [1] end"),
        ("```\n{co}de\n{mo}re\n```\nend", "code more [1][2] end"),
    ],
)
def test_a_mark_inside_code_moves_behind_it(text: str, shown: str) -> None:
    assert marked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "A [te{xt](https://a.ex}ample/b) end",
        "A [te{x}t](https://a.example/b) end",
        "A {[text](https://a.example/b}) end",
        "A {[text](https://a.example/b)} end",
    ],
)
def test_a_mark_inside_a_link_moves_behind_it(text: str) -> None:
    assert marked(text) == "A text[1] end"
    assert links(html(*ranges(text))) == ["https://a.example/b", "#m-1-source-1"]


def test_a_mark_inside_an_address_moves_behind_it() -> None:
    text = "A {<https://a.exam}ple/(b)> end"

    assert marked(text) == "A https://a.example/(b)[1] end"
    assert links(html(*ranges(text)))[0] == "https://a.example/(b)"


def test_a_mark_inside_a_link_by_reference_moves_behind_it() -> None:
    text = "A [te{xt}][ref] end\n\n[ref]: https://a.example/b"

    assert marked(text) == "A text[1] end"


def test_a_mark_in_a_table_leaves_the_table_whole() -> None:
    text = "|{a}|b|\n|-|-|\n|{c |}d|\n|e|{f|}\n{|g|h|}\nend"
    found = html(*ranges(text))
    cells = [node.text() for node in parsed(found).css("th, td")]

    assert cells[:8] == ["a1", "b", "c2", "d", "e", "f3", "g", "h4"]
    assert len(parsed(found).css("table")) == 1


def test_marks_at_one_place_stand_side_by_side_in_their_order() -> None:
    found = str(markdown("word", annotations=[cited(0, 4), cited(2, 4)], anchor="m-1").html)

    assert links(found) == ["#m-1-source-1", "#m-1-source-2"]


def test_a_mark_links_to_its_source() -> None:
    found = str(markdown("word", annotations=[cited(0, 4)], anchor="choice-0").html)
    (mark,) = parsed(found).css("sup.citation > a")

    assert (mark.text(), mark.attributes["href"]) == ("1", "#choice-0-source-1")


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (2, 2), (3, 1), (-1, 2), (0, 5), (9, 12), (0, 10**30), (None, 2), (0, None)],
)
def test_a_range_that_makes_no_sense_is_listed_only(start: int | None, end: int | None) -> None:
    view = markdown("word", annotations=[cited(start, end)], anchor="m-1")

    assert str(view.html) == "<p>word</p>\n"
    assert [(source.number, source.in_text) for source in view.sources] == [(1, False)]


def test_all_sources_are_listed_whether_they_have_a_mark_or_not() -> None:
    others: list[Annotation] = [Unknown(json=SOURCE, label="annotation file"), cited(0, 4)]
    view = markdown("word", annotations=others, anchor="m-1")

    assert [(source.number, source.in_text) for source in view.sources] == [(1, False), (2, True)]
    assert [source.annotation for source in view.sources] == others
    assert links(str(view.html)) == ["#m-1-source-2"]


def test_a_text_beyond_its_budget_lists_its_sources() -> None:
    view = markdown("word" + "[" * (MAX_BRACKETS + 1), annotations=[cited(0, 4)])

    assert view.note
    assert [source.in_text for source in view.sources] == [False]


@pytest.mark.parametrize(
    ("text", "end", "shown"),
    [
        ("😀😀 first. second", 9, "😀😀 first.[1] second"),
        ("😀😀 first. second", 11, "😀😀 first.[1] second"),
        ("é first. second", 8, "é first.[1] second"),
        ("😀 all", 5, "😀 all[1]"),
        ("😀 all", 6, "😀 all[1]"),
    ],
)
def test_indexes_are_code_points_or_utf_16_units_whichever_ends_at_a_word(
    text: str, end: int, shown: str
) -> None:
    found = html(text, [cited(0, end)])

    assert all_text(found.replace('">1</a>', '">[1]</a>')).strip() == shown


def test_a_range_that_would_cut_a_character_in_two_gets_no_mark() -> None:
    text = "😀😀😀 one, two"
    in_units = [cited(0, 10), cited(0, 15), cited(0, 1)]
    view = markdown(text, annotations=in_units, anchor="m-1")

    assert [source.in_text for source in view.sources] == [True, True, False]
    assert all_text(str(view.html)).strip() == "😀😀😀 one1, two2"


@pytest.mark.parametrize(
    "forged", [f"{OPEN}1{CLOSE}", OPEN, CLOSE, f"{OPEN}99{CLOSE}", f"a{OPEN}1"]
)
def test_a_text_that_forges_marks_gets_none(forged: str) -> None:
    text = f"word {forged} end"
    view = markdown(text, annotations=[cited(0, 4)], anchor="m-1")

    assert links(str(view.html)) == []
    assert all_text(str(view.html)).strip() == text
    assert [source.in_text for source in view.sources] == [False]


@pytest.mark.parametrize("forged", ["\ufdd01\ufdd1", "\u2e281\u2e29", "%E2%B8%A8%EF%B7%901"])
def test_pieces_of_marks_stay_text(forged: str) -> None:
    text = f"word {forged} end"
    found = str(markdown(text, annotations=[cited(0, 4)], anchor="m-1").html)

    assert links(found) == ["#m-1-source-1"]
    assert all_text(found).strip() == f"word1 {forged} end"


@pytest.mark.parametrize(
    "text",
    [
        'one**"two"** three',
        "one \\*two\\* &amp; **three**",
        "[ref] and [ref]: https://a.example\n\n[ref]: https://b.example",
        "| a | b |\n| :- | -: |\n| c \\| d | e |",
        "Title\n===\n\n```python\ncode\n```\n\n---",
    ],
)
def test_a_mark_that_would_change_the_text_is_left_out(text: str) -> None:
    plain = str(markdown(text).html)

    for end in range(1, len(text) + 1):
        found = str(markdown(text, annotations=[cited(0, end)], anchor="m-1").html)
        assert re.sub('<sup class="citation">.*?</sup>', "", found) == plain


PIECES = [
    *("word", "two words. ", "\n", "\n\n", "*", "**", "_", "`", "```\n", "# ", "- ", "1. ", "> "),
    *("|", "\n|-|-|\n", "|a|b|\n", "[", "](https://a.example)", "<https://b.example>", "😀", "\\"),
    *("&amp;", "---\n", "===\n", "[r]: https://c.example\n", "[r]", "(", ")", "    ", "~~", "!["),
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
    st.lists(st.tuples(st.integers(-1, 60), st.integers(-1, 120)), max_size=4),
)
@checked
def test_marks_change_nothing_of_the_text_around_them(
    text: str, spans: list[tuple[int, int]]
) -> None:
    plain = markdown(text)
    view = markdown(text, annotations=[cited(*span) for span in spans], anchor="m-1")

    assert_harmless(str(view.html))
    assert re.sub('<sup class="citation">.*?</sup>', "", str(view.html)) == str(plain.html)
    in_text = [f"#m-1-source-{source.number}" for source in view.sources if source.in_text]
    assert set(links(str(view.html))) - set(links(str(plain.html))) <= set(in_text)
    assert len(view.sources) == len(spans)


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 90))))
@checked
def test_the_marked_text_is_the_text_with_marks(text: str, spans: list[tuple[int, int]]) -> None:
    marked_text, sources = place_marks(text, [cited(*span) for span in spans])

    assert re.sub(f"{OPEN}[0-9]+{CLOSE}", "", marked_text) == text
    numbers = [int(number) for number in re.findall(f"{OPEN}([0-9]+){CLOSE}", marked_text)]
    assert sorted(numbers) == [source.number for source in sources if source.in_text]


@pytest.mark.skipif(not TRANSCRIPTS, reason="the recorded transcripts are not beside the checkout")
def test_recorded_citations_have_their_marks() -> None:
    marks = 0
    for file in TRANSCRIPTS:
        for line in file.read_text(encoding="utf-8").splitlines():
            root = parse(line)
            assert isinstance(root, Object)
            for choice in root.items("choices") or ():
                value = choice.object("message") if isinstance(choice, Object) else None
                message = Message.from_json(value) if value else None
                if message is None or not message.annotations:
                    continue
                texts = [part.text for part in message.parts if isinstance(part, Text)]
                view = markdown(texts[0], annotations=message.annotations, anchor="m-1")
                assert len(view.sources) == len(message.annotations)
                in_text = [source for source in view.sources if source.in_text]
                found = parsed(str(view.html)).css("sup.citation")
                assert len(found) == len(in_text)
                marks += len(found)
    assert marks > 10
