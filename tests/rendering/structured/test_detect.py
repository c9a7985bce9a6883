"""The kind of a text as a whole: JSON, XML, a table, terminal output, or plain."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.html import parsed
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.rendering import Budgets, Structure, StructureBudget, detect_structure

XML = '<?xml version="1.0"?>\n<a x="1"><b>one &amp; <![CDATA[<two>]]></b><c/><!-- d --></a>'
CSV = 'id,name,note\n1,Ada,"a, b"\n2,Grace,"two\nlines"\n'

DIFF = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old <b>\n+new\n"


TESTED = (
    "tests/test_map.py ...F    [100%]\n\n"
    "====== FAILURES ======\n______ test_map ______\n\n"
    "E       NameError: name 'Repo' is not defined\n"
)


def detect(
    text: str, role: str = "tool", budget: StructureBudget | None = None, **more: object
) -> Structure:
    message = Message.from_json(parse(json.dumps({"role": role, "content": text} | more)))
    return detect_structure(text, message=message, budget=budget or StructureBudget())


@pytest.mark.parametrize(
    ("text", "role", "kind"),
    [
        ('{"a": 1}', "user", "json"),
        (TESTED, "user", "output"),
        (TESTED, "assistant", "output"),
        (TESTED, "tool", "plain"),
        (f"It failed:\n\n```\n{TESTED}```\n", "user", "plain"),
        (f"# The run\n\n{TESTED}", "assistant", "plain"),
        ("A title\n=======\n\nand words\n\nTwo\n-----\n", "user", "plain"),
        ("Traceback (most recent call last):\nis what I see.\n", "user", "plain"),
        (' [1, {"a": 2}]\n', "assistant", "json"),
        ('"{\\"a\\": 1}"', "tool", "json"),
        ('"{\\"a\\": 1}"', "user", "plain"),
        ('"just text"', "tool", "plain"),
        ("21.0", "tool", "plain"),
        ('{"a": 1', "tool", "plain"),
        ("[link](https://a.example)", "user", "plain"),
        (XML, "tool", "xml"),
        (XML, "user", "xml"),
        (XML, "system", "plain"),
        ("<task><p>Do <b>this</b> now.</p><p>x</p></task>", "user", "plain"),
        ("<a><b></a>", "tool", "plain"),
        ("<think>hm</think>", "assistant", "plain"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a><b/><c>&b;</c></a>', "tool", "plain"),
        (CSV, "tool", "csv"),
        (CSV, "user", "csv"),
        ("a\tb\n1\t2\n3\t4\n", "tool", "csv"),
        ("a;b;c\n1;2;3\n", "tool", "csv"),
        ('"a";"b"\n"C:\\users";"x"\n"c";"d"', "user", "csv"),
        ('"caf\\u00e9 \\"x\\""', "user", "json"),
        ("Dear Ada, I am well\nand so, I hope\nare you, too", "user", "plain"),
        ("Roses are red, violets blue\nSugar is sweet, and so\nare you, too", "assistant", "plain"),
        ("a,b\n1,2,3\n", "tool", "plain"),
        ("a,b\n1,2\n", "tool", "plain"),
        ("1,2,3\n4,5,6\n", "tool", "plain"),
        ("a,a,b\n4,5,6\n", "tool", "plain"),
        ("     1\tfirst line\n     2\tsecond line\n     3\tthird", "tool", "plain"),
        ('a,b,c\n"1,2,3\n', "tool", "plain"),
        ("\x1b[31mred\x1b[0m", "tool", "ansi"),
        ("\x1b[31mred\x1b[0m", "function", "ansi"),
        ("\x1b[31mred\x1b[0m", "user", "plain"),
        ("\\x1b[31mred", "tool", "plain"),
        (DIFF, "tool", "diff"),
        (DIFF, "user", "plain"),
        (f"commit 11bda2b\nAuthor: Ada\n\n    Mend\n\n{DIFF}", "tool", "diff"),
        (DIFF.partition("\n")[2], "tool", "diff"),
        ("commit 11bda2b\nAuthor: Ada\n\n    Mend\n", "tool", "plain"),
        ("- one\n+ two\n", "tool", "plain"),
        ("--- a heading\n\n+++ another", "tool", "plain"),
        ("", "tool", "plain"),
        ("text", "tool", "plain"),
    ],
)
def test_a_text_is_of_a_kind_only_if_surely_so(text: str, role: str, kind: str) -> None:
    assert detect(text, role).kind == kind


def test_xml_is_indented_between_elements_alone() -> None:
    pre = parsed(str(detect(XML).view)).css_first("pre")
    assert pre is not None
    assert pre.text() == (
        '<?xml version="1.0"?>\n<a x="1">\n  <b>one &amp; <![CDATA[<two>]]></b>\n  <c/>\n'
        "  <!-- d -->\n</a>"
    )


def test_mixed_xml_keeps_its_white_space() -> None:
    mixed = "<a><b> one <i>two</i>\n three </b><c/></a>"
    pre = parsed(str(detect(mixed).view)).css_first("pre")
    assert pre is not None
    assert pre.text() == "<a>\n  <b> one <i>two</i>\n three </b>\n  <c/>\n</a>"


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u2028"])
def test_a_space_that_is_none_to_xml_is_kept(space: str) -> None:
    mixed = f"<a><b>1</b>{space}<c/></a>"
    assert detect(mixed + " ").kind == "plain"
    pre = parsed(str(detect(f"<r>{mixed}</r>").view)).css_first("pre")
    assert pre is not None
    assert pre.text() == f"<r>\n  {mixed}\n</r>"
    between = parsed(str(detect(f"<a><b>{space}</b><c>\n</c><d/></a>").view)).css_first("pre")
    assert between is not None
    assert between.text() == f"<a>\n  <b>{space}</b>\n  <c>\n</c>\n  <d/>\n</a>"


def test_a_table_has_every_value_in_its_place() -> None:
    view = parsed(str(detect(CSV).view))
    assert [node.text() for node in view.css("th[scope=col]")] == ["id", "name", "note"]
    rows = [[cell.text() for cell in row.css("td")] for row in view.css("tbody tr")]
    assert rows == [["1", "Ada", "a, b"], ["2", "Grace", "two\nlines"]]


def test_a_long_table_says_how_many_rows_are_only_in_the_source() -> None:
    found = detect("a,b\n" + "1,2\n" * 700)
    assert found.note == "200 more rows are in the source."
    assert len(parsed(str(found.view)).css("tbody tr")) == 500


def test_one_row_that_is_left_is_one_row() -> None:
    assert detect("a,b\n" + "1,2\n" * 501).note == "1 more row is in the source."


def test_a_diff_has_its_lines_in_two_colours_and_loses_none() -> None:
    shown = parsed(str(detect(DIFF).view))

    assert [node.text() for node in shown.css(".code-deleted")] == ["-old <b>"]
    assert [node.text() for node in shown.css(".code-inserted")] == ["+new"]
    assert shown.css("pre")[0].text().strip("\n") == DIFF.strip("\n")


@pytest.mark.parametrize("role", ["tool", "user"])
def test_a_table_may_begin_with_a_byte_order_mark(role: str) -> None:
    view = parsed(str(detect("\ufeff" + CSV, role).view))
    assert view.css_first("thead .control[data-mark]") is not None
    names = [node.text() for node in view.css("th[scope=col]")]
    assert names == ["\ufeffid", "name", "note"]


def test_terminal_output_says_how_many_sequences_are_only_in_the_source() -> None:
    assert detect("\x1b[2K\x1b[31mred").note == (
        "1 control sequence of the terminal not shown here; the source has them."
    )
    assert detect("\x1b[31mred").note is None


@pytest.mark.parametrize(
    "text",
    [
        *('{"error": "quota"}', '{"error": {"code": 1}}', '{"isError": true, "content": []}'),
        *('{"is_error": true}', '{"status": "error"}', "Error: no such file", "ValueError: bad"),
        *("Traceback (most recent call last):\n  x", "java.lang.IllegalStateException: x"),
        *("ERROR: failed", "fatal: not a git repository", "\n Exception: x"),
    ],
)
def test_a_result_that_clearly_reports_an_error_is_one(text: str) -> None:
    assert detect(text).is_error
    assert not detect(text, "user").is_error


@pytest.mark.parametrize(
    "text",
    [
        *(
            '{"error": null}',
            '{"error": false}',
            '{"error": ""}',
            '{"errors": 0}',
            '{"a": "error"}',
        ),
        *("No error was found.", "Errors: 0", "error handling in Python", "Errorless", '["error"]'),
        *('{"status": "ok", "message": "Error: x"}', "The Exception class", "2 passed, 0 errors"),
    ],
)
def test_a_result_that_only_speaks_of_errors_is_none(text: str) -> None:
    assert not detect(text).is_error


def test_a_message_may_say_itself_that_it_is_an_error() -> None:
    assert detect("no", is_error=True).is_error
    assert not detect("no", is_error=False).is_error


def test_a_text_beyond_the_budget_is_plain_and_says_so() -> None:
    small = StructureBudget(Budgets(text_bytes=20))
    assert detect('{"a": "long enough to be too long"}', budget=small).note is not None
    kinds = [detect('{"a": 1234567890}', budget=small).kind for _ in range(20)]
    assert kinds[0] == "json" and kinds[-1] == "plain"


@given(st.text(st.sampled_from("<>/a b=\"'&;![CDATA]-?,\t\n1{}:\x1b[m"), max_size=60))
@checked
def test_no_text_breaks_it_and_no_view_loses_letters(text: str) -> None:
    for role in ("tool", "user"):
        found = detect(text, role)
        if found.kind in ("xml", "csv"):
            shown = parsed(str(found.view)).text()
            assert [one for one in shown if one in "a1"] == [one for one in text if one in "a1"]


@pytest.mark.parametrize(
    "text",
    [
        *("<a>" * 82_500 + "</a>" * 62_500, "<a " + 'b="c" ' * 40_000 + "/>"),
        *("<a>" + "<b/>" * 62_500 + "</a>", "<a>" + "<!--" * 62_500, "<![CDATA[" * 27_500 + ">"),
        *("<a>" * 35_000 + "</a>" * 35_000, "<a>" + "&amp;" * 50_000 + "<b/><c/></a>"),
        *("a,b\n" + "1,2\n" * 62_500, 'a,b\n"' + "x" * 250_000, "a," * 125_000 + "\n1"),
        "--- a\n+++ b\n" + "+\n-\n" * 60_000,
        *("a,b\n" + '"",' * 82_500, "{" * 250_000, "<a" * 125_000 + ">"),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_nasty_texts_do_not_grow_beyond_measure(text: str) -> None:
    found = detect(text, budget=StructureBudget(Budgets(text_bytes=2_000_000)))
    assert found.kind in ("plain", "json", "xml", "csv", "diff")
    assert len(found.view) < 60 * len(text)
