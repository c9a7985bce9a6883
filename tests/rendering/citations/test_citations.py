"""Marks of cited sources: at the right place, and never at the cost of the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import TRANSCRIPTS, checked
from tests.support.html import all_text, assert_harmless, links, parsed
from webapp.exact_json import Object, parse
from webapp.messages import Annotation, Message, Text, Unknown, UrlCitation
from webapp.rendering import Budgets, MarkdownBudget, render_markdown
from webapp.rendering.citations.markers import CLOSE, OPEN, START, place_marks
from webapp.rendering.citations.sources import list_sources, list_unmarked
from webapp.rendering.markdown import render_with_citations
from webapp.rendering.markdown.context import MAX_STEPS, Meter, Scope

SOURCE = parse('{"source": true}')


def cited(
    start: int | None, end: int | None, url: str = "https://s.example", title: str | None = None
) -> UrlCitation:
    return UrlCitation(json=SOURCE, url=url, title=title, start_index=start, end_index=end)


def ranges(text: str) -> tuple[str, list[UrlCitation]]:
    """Return `text` without its braces, and a citation of the range between each pair."""
    clean = re.sub("[{}]", "", text)
    pairs = zip(re.finditer("{", text), re.finditer("}", text), strict=True)
    return clean, [
        cited(first.start() - 2 * place, last.start() - 2 * place - 1, f"https://s.example/{place}")
        for place, (first, last) in enumerate(pairs)
    ]


def html(text: str, annotations: list[UrlCitation]) -> str:
    found = str(render_markdown(text, annotations=annotations, anchor="m-1").html)
    assert_harmless(found)
    assert not set(OPEN + START + CLOSE) & set(found)
    return found


def marked(text: str) -> str:
    """Return the text shown for `text`, with marks as `[1]`; braces enclose cited ranges."""
    found = re.sub('<div class="code-head">.*?</div>', "", html(*ranges(text)))
    return re.sub(r"\s+", " ", all_text(found)).strip()


def without_citations(found: str) -> str:
    """Return `found` without the numbers and links of its citations."""
    found = re.sub('(?s)<sup class="citation">.*?</sup>', "", found)
    return re.sub(
        r'<a class="citation-marker"[^>]*>([^<]*)(?:<sup>\[\d+\]</sup>)?</a>', r"\1", found
    )


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
def test_a_mark_follows_the_cited_range(text: str, shown: str) -> None:
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
def test_a_mark_inside_code_moves_after_it(text: str, shown: str) -> None:
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
def test_a_mark_inside_a_link_moves_after_it(text: str) -> None:
    assert marked(text) == "A text[1] end"
    assert links(html(*ranges(text))) == ["https://a.example/b", "#m-1-source-1"]


def test_a_byte_order_mark_counts_in_the_range_of_a_citation() -> None:
    assert marked("\ufeff# One {two} three") == "One two[1] three"
    assert marked("\ufeff{# One}\n\ntwo") == "One[1] two"
    assert marked("{\ufeff# One}\n\ntwo") == "One[1] two"


def test_a_mark_inside_a_url_moves_after_it() -> None:
    text = "A {<https://a.exam}ple/(b)> end"

    assert marked(text) == "A https://a.example/(b)[1] end"
    assert links(html(*ranges(text)))[0] == "https://a.example/(b)"


def test_a_mark_inside_a_link_by_reference_moves_after_it() -> None:
    text = "A [te{xt}][ref] end\n\n[ref]: https://a.example/b"

    assert marked(text) == "A text[1] end [ref]: https://a.example/b"


def test_a_mark_in_a_table_leaves_the_table_whole() -> None:
    text = "|{a}|b|\n|-|-|\n|{c |}d|\n|e|{f|}\n{|g|h|}\nend"
    found = html(*ranges(text))
    cells = [node.text() for node in parsed(found).css("th, td")]

    assert cells[:8] == ["a[1]", "b", "c[2]", "d", "e", "f[3]", "g", "h[4]"]
    assert len(parsed(found).css("table")) == 1


def test_marks_at_one_place_are_side_by_side_in_order() -> None:
    both = [cited(0, 4, "https://a.example"), cited(2, 4, "https://b.example")]
    found = str(render_markdown("word", annotations=both, anchor="m-1").html)

    assert links(found) == ["#m-1-source-1", "#m-1-source-2"]
    assert len(parsed(found).css("sup.citation")) == 1


def test_a_mark_links_to_its_source_and_names_it() -> None:
    source = cited(0, 4, "https://s.example/a?b=1", 'A "title"')
    found = str(render_markdown("word", annotations=[source], anchor="choice-0").html)
    (mark,) = parsed(found).css("sup.citation > a")

    assert (mark.text(), mark.attributes["href"]) == ("[1]", "#choice-0-source-1")
    assert mark.attributes["id"] == "choice-0-cite-1"
    assert mark.attributes["title"] == 'A "title"\ns.example\nhttps://s.example/a?b=1'


@pytest.mark.parametrize(
    ("text", "marker", "number"),
    [
        ("One {【4:0†source】}. Two", "【4:0†source】", "[1]"),
        ("One{【1†a】【2†b】} two", "【1†a】【2†b】", "[1]"),
        ("One {[1]} two", "[1]", ""),
        ("One {[^1]}.", "[^1]", ""),
        ("One {[7]}.", "[7]", "[1]"),
        ("One {(1)} two", "(1)", ""),
        ("One{²} two", "²", "[1]"),
        ("One{ [1]} two", "[1]", ""),
        ("**{[1]}** two", "[1]", ""),
        ("| {[1]} | two |\n|-|-|", "[1]", ""),
    ],
)
def test_a_marker_that_is_cited_becomes_the_link_itself(
    text: str, marker: str, number: str
) -> None:
    clean, citations = ranges(text)
    found = html(clean, citations)
    (link,) = parsed(found).css("a.citation-marker")

    assert link.text() == f"{marker}{number}"
    assert link.attributes["href"] == "#m-1-source-1"
    assert without_citations(found) == str(render_markdown(clean).html)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See {([a.example](https://a.example/b))}.", "See (a.example)[1]."),
        ("See {[a.example](https://a.example/b)} end", "See a.example[1] end"),
        ("A {[1]} end\n\n[1]: https://a.example", "A 1[1] end [1]: https://a.example"),
        ("A `x {[1]} y` end", "A x [1] y[1] end"),
        ("A {https://a.example/b} end", "A https://a.example/b[1] end"),
        ("A https://a.ex{ample/b}. End", "A https://a.example/b[1]. End"),
    ],
)
def test_a_marker_that_is_already_a_link_or_code_stays_one(text: str, shown: str) -> None:
    clean, _ = ranges(text)

    assert marked(text) == shown
    assert without_citations(html(*ranges(text))) == str(render_markdown(clean).html)


def test_two_sources_of_one_marker_are_its_link_and_a_number() -> None:
    both = [cited(4, 7, "https://a.example"), cited(4, 7, "https://b.example")]
    found = html("One [1].", both)

    assert links(found) == ["#m-1-source-1", "#m-1-source-2"]
    assert all_text(found).strip() == "One [1][2]."


def test_citations_that_differ_in_their_range_alone_are_one_source() -> None:
    view = render_markdown(
        "one two three",
        annotations=[cited(0, 3), cited(4, 7, title="T"), cited(8, 13), cited(8, 13)],
        anchor="m-1",
    )
    first, second = view.sources

    assert [(place.start, place.end, place.times) for place in first.places] == [
        *((0, 3, 1), (8, 13, 2))
    ]
    assert [place.description for place in first.places] == ["0 to 3", "8 to 13, sent 2 times"]
    assert second.number == 2
    assert all_text(str(view.html)).strip() == "one[1] two[2] three[1]"
    ids = [node.attributes["id"] for node in parsed(str(view.html)).css("sup a")]
    assert ids == ["m-1-cite-1", "m-1-cite-3", "m-1-cite-2"]


@pytest.mark.parametrize(
    ("start", "end", "note"),
    [
        (2, 6, "2 to 6, overlaps source 1"),
        (0, 6, "0 to 6, overlaps source 1"),
        (5, 8, "5 to 8, overlaps source 1"),
        (0, 20, "0 to 20, overlaps source 1"),
        (5, 6, "5 to 6, overlaps source 1"),
        (7, 9, "7 to 9"),
        (0, 4, "0 to 4"),
        (4, 7, "4 to 7"),
        (5, 7, "5 to 7"),
    ],
)
def test_a_range_that_overlaps_another_is_listed_with_a_note(
    start: int, end: int, note: str
) -> None:
    both = [cited(4, 7, "https://a.example"), cited(start, end, "https://b.example")]
    view = render_markdown("one two three four five", annotations=both, anchor="m-1")

    assert view.sources[0].in_text
    assert [place.description for place in view.sources[1].places] == [note]
    assert view.sources[1].in_text is ("overlaps" not in note)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (0, 0, "no place given"),
        (2, 2, "2 to 2, empty"),
        (3, 1, "3 to 1, ends before it starts"),
        (-1, 2, "-1 to 2, outside the text"),
        (0, 5, "0 to 5, outside the text"),
        (9, 12, "9 to 12, outside the text"),
        (0, 10**30, f"0 to {10**30}, outside the text"),
        (None, 2, "to 2, only its end is given"),
        (0, None, "from 0, only its start is given"),
        (None, None, "no place given"),
    ],
)
def test_a_range_that_makes_no_sense_is_listed_with_a_note(
    start: int | None, end: int | None, told: str
) -> None:
    view = render_markdown("word", annotations=[cited(start, end)], anchor="m-1")

    assert str(view.html) == str(render_markdown("word").html)
    (source,) = view.sources
    assert (source.number, source.in_text) == (1, False)
    assert [place.description for place in source.places] == [told]


def test_all_sources_are_listed_whether_they_have_a_mark_or_not() -> None:
    others: list[Annotation] = [Unknown(json=SOURCE, label="annotation file"), cited(0, 4)]
    view = render_markdown("word", annotations=others, anchor="m-1")

    assert [(source.number, source.in_text) for source in view.sources] == [(1, False), (2, True)]
    assert [source.annotation for source in view.sources] == others
    assert links(str(view.html)) == ["#m-1-source-2"]


def test_a_text_beyond_its_budget_lists_its_sources() -> None:
    view = render_markdown("word" + "[" * (Budgets().brackets + 1), annotations=[cited(0, 4)])

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
    assert all_text(html(text, [cited(0, end)])).strip() == shown


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    "piece",
    [
        "【4:0†source】",
        "[1]",
        "([s.example](https://s.example/a))",
        "as https://s.example/a says",
        "s.example says",
        "The Title says",
    ],
)
@pytest.mark.parametrize("in_units", [True, False])
def test_the_content_of_a_range_decides_how_it_was_counted(piece: str, in_units: bool) -> None:
    # The same shift later in the text ends at a word as well: only the cited words differ.
    before = "😀😀 a b c d e f g "
    text = f"{before}{piece} x y z a b c"
    start = utf16(before) if in_units else len(before)
    source = cited(start, start + len(piece), "https://s.example/a", "The Title")
    view = render_markdown(text, annotations=[source], anchor="m-1")

    assert [one.units for one in view.sources] == ["UTF-16 units" if in_units else "code points"]
    (mark,) = parsed(str(view.html)).css("sup.citation, a.citation-marker")
    shown = all_text(str(view.html))
    assert shown.index(mark.text()) < shown.index(" x y z")


def test_the_count_is_named_only_where_it_makes_a_difference() -> None:
    for text, said in [("all ascii", None), ("one 😀", None), ("😀 one", "code points")]:
        view = render_markdown(text, annotations=[cited(0, 4)], anchor="m-1")
        assert [source.units for source in view.sources] == [said]


def test_a_range_that_would_cut_a_character_in_two_gets_no_mark() -> None:
    text = "😀😀😀 one, two"
    in_units = [cited(0, 10, "https://a.example"), cited(12, 15, "https://b.example"), cited(1, 4)]
    view = render_markdown(text, annotations=in_units, anchor="m-1")

    assert [source.in_text for source in view.sources] == [True, True, False]
    assert view.sources[2].places[0].note == "cuts a character in two"
    assert all_text(str(view.html)).strip() == "😀😀😀 one[1], two[2]"


@pytest.mark.parametrize(
    "forged", [f"{OPEN}1{CLOSE}", OPEN, START, CLOSE, f"{OPEN}99{CLOSE}", f"a{OPEN}1"]
)
def test_a_text_that_forges_marks_gets_none(forged: str) -> None:
    text = f"word {forged} end"
    view = render_markdown(text, annotations=[cited(0, 4)], anchor="m-1")

    assert links(str(view.html)) == []
    assert all_text(str(view.html)).strip() == text
    assert [source.in_text for source in view.sources] == [False]


@pytest.mark.parametrize("forged", ["\ufdd01\ufdd1", "\u2e281\u2e29", "%E2%B8%A8%EF%B7%901"])
def test_pieces_of_marks_stay_text(forged: str) -> None:
    text = f"word {forged} end"
    found = str(render_markdown(text, annotations=[cited(0, 4)], anchor="m-1").html)

    assert links(found) == ["#m-1-source-1"]
    assert all_text(found).strip() == f"word[1] {forged} end"


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
    plain = str(render_markdown(text).html)

    for end in range(1, len(text) + 1):
        found = str(render_markdown(text, annotations=[cited(0, end)], anchor="m-1").html)
        assert without_citations(found) == plain


@pytest.mark.parametrize(
    ("text", "shown", "notes"),
    [
        ("- [{x}] task\n\n{One.} Two.", "☑ task One.[2] Two.", [True, False]),
        ("{One} *emph*{asis}\n\n- [{x}] task", "One[1] emphasis[2] ☑ task", [False, False, True]),
        ('{One.} a**"{b}"** c', 'One.[1] a**"b[2]"** c', [False, False]),
        ("*{emph}*asis {two}", "emphasis two[2]", [True, False]),
        ("- [{x}] a\n- [{x}] b", "☑ a ☑ b", [True, True]),
        (
            "{a} " * 20 + "\n\n- [{x}] task\n\n" + "{b} " * 20,
            " ".join(
                [*(f"a[{n}]" for n in range(1, 21)), "☑ task", *(f"b[{n}]" for n in range(22, 42))]
            ),
            [False] * 20 + [True] + [False] * 20,
        ),
    ],
)
def test_a_mark_that_would_change_the_text_takes_no_other_with_it(
    text: str, shown: str, notes: list[bool]
) -> None:
    plain, citations = ranges(text)
    view = render_markdown(plain, annotations=citations, anchor="m-1")
    places = [place for source in view.sources for place in source.places]

    assert marked(text) == shown
    assert [place.in_text for place in places] == [not awkward for awkward in notes]
    assert [place.note for place in places] == [
        "a mark there may change the text" if awkward else None for awkward in notes
    ]


def test_a_long_text_has_its_marks() -> None:
    assert marked("{One} " + "a ! " * (MAX_STEPS // 6)).startswith("One[1] a ! a !")


def test_if_careful_marks_change_the_text_too_its_sources_are_listed_only() -> None:
    text, citations = ranges("{1}. item\n\n{Two.}")
    view = render_markdown(text, annotations=citations, anchor="m-1")

    assert str(view.html) == str(render_markdown(text).html)
    notes = [place.note for source in view.sources for place in source.places]
    assert notes == ["a mark there may change the text"] * 2


@pytest.mark.parametrize("text", ["- [{x}] task\n" * 300, "{1}. item\n" * 300])
def test_a_text_with_awkward_marks_is_rendered_three_times_at_most(text: str) -> None:
    meter, once = Meter(float("inf")), Meter(float("inf"))
    text, citations = ranges(text)
    scope = Scope(MarkdownBudget(), meter, None)
    rendered = render_with_citations(text, citations, scope, own_host="")
    plain = render_with_citations(text, [], Scope(MarkdownBudget(), once, None), own_host="")

    assert rendered.html == plain.html
    assert meter.steps <= 3 * 2 * once.steps


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
    plain = render_markdown(text)
    citations = [cited(*span, url=f"https://s.example/{at}") for at, span in enumerate(spans)]
    view = render_markdown(text, annotations=citations, anchor="m-1")

    assert_harmless(str(view.html))
    assert without_citations(str(view.html)) == str(plain.html)
    in_text = [f"#m-1-source-{source.number}" for source in view.sources if source.in_text]
    assert set(links(str(view.html))) - set(links(str(plain.html))) <= set(in_text)
    assert len(view.sources) == len(spans)


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
    st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 90)), max_size=8),
)
@checked
def test_the_marked_text_is_the_text_with_marks(text: str, spans: list[tuple[int, int]]) -> None:
    citations = [cited(*span, url=f"https://s.example/{at % 3}") for at, span in enumerate(spans)]
    marked_text, sources = place_marks(text, citations)

    assert re.sub(f"[{OPEN[0]}][{OPEN[1]}{START[1]}][0-9]+{CLOSE}", "", marked_text) == text
    numbers = [int(number) for number in re.findall(f"{OPEN}([0-9]+){CLOSE}", marked_text)]
    places = [place for source in sources for place in source.places]
    assert sorted(numbers) == [place.number for place in places if place.in_text]
    assert [place.number for place in places] == list(range(1, len(places) + 1))
    assert sum(place.times for place in places) == len(spans)


def test_notes_that_concern_all_sources_of_a_message() -> None:
    def message(content: str) -> Message:
        place = '{"url": "https://s.example", "start_index": 0, "end_index": 1}'
        citation = f'{{"type": "url_citation", "url_citation": {place}}}'
        return Message.from_json(
            parse(f'{{"content": {content}, "annotations": [{citation}, {citation}, 5]}}')
        )

    one, two = message('"a"'), message('["a", "b"]')
    placed = render_markdown("a", annotations=one.annotations).sources
    assert list_sources(one, placed, limit=9).notes == ()
    assert [len(list_sources(one, placed, limit=limit).sources) for limit in (1, 9)] == [2, 2]
    assert list_sources(one, None, limit=2).left_out == 1
    assert "not marked in the text" in list_sources(one, None, limit=9).notes[0]
    assert "several texts" in list_sources(two, None, limit=9).notes[0]
    assert list_unmarked(one.annotations)[1].places == ()


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
                view = render_markdown(texts[0], annotations=message.annotations, anchor="m-1")
                places = [place for source in view.sources for place in source.places]
                known = [one for one in message.annotations if isinstance(one, UrlCitation)]
                assert sum(place.times for place in places) == len(known)
                in_text = [place for place in places if place.in_text]
                assert {place.note for place in places} <= {None, "empty"}
                found = parsed(str(view.html)).css("sup.citation a")
                assert len(found) == len(in_text)
                marks += len(found)
    assert marks > 10
