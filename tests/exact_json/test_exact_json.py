"""JSON as written: nothing of a document is changed, whatever the document."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given

from tests.support.any_json import Json, checked, json_texts, values
from tests.support.real_transcripts import FILES, lines_to_look_at
from webapp.exact_json import (
    MAX_INDENTED_LEVELS,
    Array,
    Boolean,
    Integer,
    NotJson,
    Null,
    Number,
    Object,
    String,
    TooManyValues,
    Value,
    find_extension,
    indent,
    list_slots,
    parse,
)
from webapp.exact_json.lexemes import LONG, TOKEN, WINDOW, find_comma


def parsed_object(text: str) -> Object:
    value = parse(text)
    assert isinstance(value, Object)
    return value


def indented(text: str) -> str:
    return indent(parse(text))


def compact(text: str) -> str:
    """Return `text` without the white space between its lexemes."""
    return "".join(match[0].lstrip(" \t\n\r") for match in TOKEN.finditer(parse(text).source))


def lexemes(value: Value) -> list[str]:
    """Every scalar and name of `value` as written, in order."""
    if isinstance(value, Array):
        return [lexeme for item in value.items for lexeme in lexemes(item)]
    if isinstance(value, Object):
        return [
            lexeme
            for member in value.members
            for lexeme in (member.name.source, *lexemes(member.value))
        ]
    return [value.source]


def plain(value: Value) -> Any:
    """Convert to the values of Python's own parser, with pairs in place of dicts."""
    match value:
        case Array(items=items):
            return [plain(item) for item in items]
        case Object(members=members):
            return [(member.name.text, plain(member.value)) for member in members]
        case String():
            return value.text
        case Boolean():
            return value.value
        case Null():
            return None
        case Number():
            return value.source


def by_python(text: str) -> Any:
    """`text` by the standard library, numbers as their lexemes, objects as pairs."""
    return json.JSONDecoder(
        strict=False, object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str
    ).decode(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("null", Null),
        ("true", Boolean),
        ("false", Boolean),
        ("0", Number),
        ("-1.50e+07", Number),
        ("NaN", Number),
        ("Infinity", Number),
        ("-Infinity", Number),
        ('""', String),
        ("[]", Array),
        ("{}", Object),
    ],
)
def test_every_kind_of_value_is_read_and_keeps_its_characters(text: str, kind: type) -> None:
    value = parse(f" \t\r\n{text}\n")

    assert type(value) is kind
    assert value.source == text
    assert repr(value) == f"{kind.__name__}({text!r})"


@given(json_texts)
@checked
def test_whatever_is_read_keeps_its_source(text: str) -> None:
    value = parse(text)

    assert value.source == text.strip(" \t\n\r")
    assert parse(value.source).source == value.source


@given(json_texts)
@checked
def test_whatever_is_read_means_what_the_standard_library_reads(text: str) -> None:
    assert plain(parse(text)) == by_python(text)


@given(values)
@checked
def test_every_value_that_can_be_written_is_read(value: Json) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert json.loads(parse(text).source) == value


@given(json_texts)
@checked
def test_indenting_and_compacting_change_white_space_alone(text: str) -> None:
    wide, narrow = indented(text), compact(text)

    assert lexemes(parse(wide)) == lexemes(parse(narrow)) == lexemes(parse(text))
    assert by_python(wide) == by_python(narrow) == by_python(text)
    assert compact(wide) == narrow
    assert indented(narrow) == wide


@given(values)
@checked
def test_indented_text_is_laid_out_as_the_standard_library_would(value: Json) -> None:
    text = json.dumps(value, ensure_ascii=False)

    assert indented(text) == json.dumps(value, ensure_ascii=False, indent=2)
    assert compact(text) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_indenting_keeps_number_lexemes_key_order_and_repeated_names() -> None:
    text = '{"b":1.0,"a":[1E5,-0,-8132613597486110237],"b":{},"c":[ ],"\\u0061":NaN}'

    assert indented(text) == (
        '{\n  "b": 1.0,\n  "a": [\n    1E5,\n    -0,\n    -8132613597486110237\n  ],\n'
        '  "b": {},\n  "c": [],\n  "\\u0061": NaN\n}'
    )


def test_strings_that_look_like_brackets_are_not_structure() -> None:
    assert indented('["{", "}", ",", ":", "[]"]') == (
        '[\n  "{",\n  "}",\n  ",",\n  ":",\n  "[]"\n]'
    )


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_may_be_deeper_than_any_stack(opening: str, closing: str) -> None:
    depth = 20_000
    text = opening * depth + "1" + closing * depth

    value = parse(text)
    levels = 0
    while isinstance(value, Array | Object):
        value = value.items[0] if isinstance(value, Array) else value.members[0].value
        levels += 1

    assert levels == depth
    assert value.source == "1"
    assert compact(indented(text)) == text


def test_indentation_stops_growing_at_its_limit() -> None:
    lines = indented("[" * 100 + "]" * 100).splitlines()

    assert max(len(line) - len(line.lstrip()) for line in lines) == 2 * MAX_INDENTED_LEVELS


def test_integers_of_any_length_are_kept_and_the_readable_ones_are_numbers() -> None:
    long = parse("9" * 5000)
    assert isinstance(long, Number)
    assert (long.integer, len(long.source)) == (None, 5000)

    seed = parsed_object('{"seed": -8132613597486110237}')
    assert seed.integer("seed") == -8132613597486110237


@pytest.mark.parametrize("text", ["1.0", "1e3", "NaN", "-Infinity"])
def test_numbers_not_written_as_integers_are_none(text: str) -> None:
    assert parsed_object(f'{{"n": {text}}}').integer("n") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"plain"', "plain"),
        ('"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
        ('"\\u00e9\\ud83d\\ude00"', "é😀"),
        ('"\\ud800"', "\ud800"),
        ('"\ud800"', "\ud800"),
        ('"a\nb\x00"', "a\nb\x00"),
        ('"\x7f\u2028"', "\x7f\u2028"),
    ],
)
def test_a_string_has_what_it_means_and_how_it_was_written(written: str, meant: str) -> None:
    value = parse(written)

    assert isinstance(value, String)
    assert (value.text, value.source) == (meant, written)


@pytest.mark.parametrize(
    "text",
    [
        *("{}", ' { "a" : [ 1 , {} ] , "a":"\\"}" }\n', '{"n":NaN,"i":-Infinity,"s":"\t\\ud800"}'),
        f'{{"a":{"9" * 5_000},"b":1}}',
        f'{{"a":{"[" * 9_000}0{"]" * 9_000},"b":null}}',
        f'{{"a":"{"x" * 1_100_000}","b":[true]}}',
    ],
    ids=["empty", "spaces", "extensions", "digits", "deep", "long"],
)
def test_the_slots_of_an_object_are_the_places_of_its_members(text: str) -> None:
    members = parsed_object(text).members

    assert [(one.name.source, one.start, one.end) for one in list_slots(text)] == [
        (one.name.source, one.value.start, one.value.end) for one in members
    ]


def test_the_last_of_several_members_of_one_name_counts() -> None:
    value = parsed_object('{"a": 1, "b": 2, "\\u0061": "last"}')

    assert value.text("a") == "last"
    assert value.names() == ("a", "b")
    assert [member.name.source for member in value.members] == ['"a"', '"b"', '"\\u0061"']


def test_names_are_compared_by_what_they_mean() -> None:
    value = parsed_object(r'{"a\nb": "line break", "a\\nb": "backslash"}')

    assert value.text("a\nb") == "line break"
    assert value.text("a\\nb") == "backslash"
    assert parsed_object('{"say \\"a\\"": 1}').integer('say "a"') == 1


def readings(value: Object, name: str) -> list[object]:
    readers = (value.text, value.integer, value.boolean, value.object, value.items)
    return [read(name) for read in readers]


def test_members_of_another_type_read_as_none() -> None:
    value = parsed_object('{"t": "x", "n": 1, "b": true, "o": {"i": 2}, "l": [3], "z": null}')

    assert (value.text("t"), value.integer("n"), value.boolean("b")) == ("x", 1, True)
    inner, items = value.object("o"), value.items("l")
    assert inner is not None and inner.integer("i") == 2
    assert items is not None and [item.source for item in items] == ["3"]
    for name in ("z", "missing"):
        assert readings(value, name) == [None] * 5
    for name in ("t", "n", "b", "o", "l"):
        assert readings(value, name).count(None) == 4


def beyond(text: str, **read: type) -> list[str]:
    left = parsed_object(text).find_unread(**read)
    return [f"{member.name.text}={member.value.source}" for member in left]


def test_unread_members_have_other_names_or_types_and_are_not_null() -> None:
    text = '{"a": "read", "b": 5, "c": null, "d": {}, "e": 1.5, "f": 2}'

    assert beyond(text) == ['a="read"', "b=5", "d={}", "e=1.5", "f=2"]
    assert beyond(text, a=String, b=String, d=Object, e=Integer, f=Integer) == ["b=5", "e=1.5"]
    assert beyond(text, a=String, b=Integer, d=Integer, e=Number, f=Number) == ["d={}"]
    assert beyond(text, a=object, b=object, d=object, e=object, f=object) == []


def test_unread_members_include_all_but_the_last_of_a_name() -> None:
    assert beyond('{"a": "1", "a": "2", "\\u0061": "3"}', a=String) == ['a="1"', 'a="2"']


@pytest.mark.parametrize(
    ("text", "problem", "line", "column"),
    [
        ("", "the text ends early: expected a value", 1, 1),
        ("  ", "the text ends early: expected a value", 1, 3),
        ("\ufeff{}", "expected a value", 1, 1),
        ("nul", "the text ends early: expected a value", 1, 1),
        ("[nil]", "expected a value", 1, 2),
        ("nullx", "expected the end of the text", 1, 5),
        ("[1 2]", "expected ',' or ']'", 1, 4),
        ("[1,\n 2,\n ]", "expected a value", 3, 2),
        ("[1,\n\n  2", "the text ends early: expected ',' or ']'", 3, 4),
        ("[01]", "expected ',' or ']'", 1, 3),
        ("[1.]", "expected ',' or ']'", 1, 3),
        ("[+1]", "expected a value", 1, 2),
        ("[-]", "expected a value", 1, 2),
        ("[}", "expected a value", 1, 2),
        ('{"a" 1}', "expected ':'", 1, 6),
        ('{"a": 1,}', "expected a name in double quotes", 1, 9),
        ("{'a': 1}", "expected a name in double quotes", 1, 2),
        ("{1: 2}", "expected a name in double quotes", 1, 2),
        ('{"a": 1]', "expected ',' or '}'", 1, 8),
        ("{} {}", "expected the end of the text", 1, 4),
        ("{} nul", "expected the end of the text", 1, 4),
        ('["a', "the text ends early: a string without end", 1, 2),
        ('["a\\', "the text ends early: a string without end", 1, 2),
        ('["a\\u00', "the text ends early: a string without end", 1, 2),
        ('["b\\x"', "an unknown escape in a string", 1, 4),
        ('"\\u12"', "an unknown escape in a string", 1, 2),
        ("[1.", "the text ends early: expected ',' or ']'", 1, 3),
        ("[-", "the text ends early: expected a value", 1, 2),
        ("\u00a0null", "expected a value", 1, 1),
        ("[٣]", "expected a value", 1, 2),
    ],
)
def test_what_is_not_json_is_told_with_its_place(
    text: str, problem: str, line: int, column: int
) -> None:
    with pytest.raises(NotJson) as caught:
        parse(text)

    error = caught.value
    assert (error.problem, error.line, error.column) == (problem, line, column)
    assert str(error) == f"{problem} at line {line}, column {column}"
    lines = text[: error.position].split("\n")
    assert (len(lines), len(lines[-1]) + 1) == (line, column)


@pytest.mark.parametrize("read", [parse, indented])
def test_every_reader_refuses_what_is_not_json(read: Any) -> None:
    with pytest.raises(NotJson):
        read("{broken")


@given(json_texts)
@checked
def test_a_document_cut_short_is_never_read_as_another(text: str) -> None:
    document = text.strip(" \t\n\r")
    for end in range(len(document)):
        try:
            kept = parse(document[:end]).source
        except NotJson as error:
            assert 0 <= error.position <= end
            assert error.at_end or re.match(r"-?[0-9]", document)
        else:
            # Only a bare number can lose its last digits and still be one.
            assert re.fullmatch(r"-?[0-9].*", kept)


@pytest.mark.skipif(not FILES, reason="the recorded transcripts are not beside the checkout")
def test_the_recorded_completions_keep_every_character_and_their_values() -> None:
    for lines in lines_to_look_at().values():
        for line in lines:
            assert parse(line).source == line.strip()
            assert json.loads(indented(line)) == json.loads(compact(line)) == json.loads(line)


@pytest.mark.parametrize("one", ["0", '""', "{}", "[[]]", '{"a":1}', "null", "-1.5e3", '{"":[0]}'])
def test_a_text_of_too_many_values_is_left_soon_after_the_limit(one: str) -> None:
    text = "[" + ",".join([one] * 300_000) + "]"

    with pytest.raises(TooManyValues, match="more than 1,000 values") as caught:
        parse(text, max_values=1_000)

    assert caught.value.position < len(text) / 4
    assert len(parse(text[:10_000].rpartition(",")[0] + "]", max_values=20_000).source) > 9_000


def test_a_text_of_too_many_values_is_left_if_it_has_no_commas() -> None:
    with pytest.raises(TooManyValues, match="more than 1,000 values"):
        parse('{"a":' * 2_000 + "1" + "}" * 2_000, max_values=1_000)


def test_too_many_values_are_told_with_the_place_of_the_first_beyond() -> None:
    text = '["a,b,c",\n' + "0," * 20 + "0]"

    with pytest.raises(TooManyValues) as caught:
        parse(text, max_values=5)

    assert (caught.value.line, caught.value.column) == (2, 11)


@pytest.mark.parametrize(
    "written", ["a, b: [c], {d}, ", r"\\", r"\\, \", ", r"\u002c, ", r"\n, ", "\n, "]
)
def test_long_strings_are_few_values(written: str) -> None:
    text = f'["{written * 10_000}", 1]'

    assert parse(text, max_values=100).source == text


@pytest.mark.parametrize("end", ["", r"\"", r"\u00e9", r"\\", "\n"])
@pytest.mark.parametrize("around", ["{}", " {} ", "[{},\n {}]", '{{"a": {}, "b":{}}}', "{{{}:1}}"])
def test_strings_of_every_length_are_read_as_written(around: str, end: str) -> None:
    for size in (LONG - 2, LONG - 1, LONG, LONG + 1, 2 * LONG):
        string = f'"{"x" * size}{end}"'
        text = around.format(string, string)

        assert plain(parse(text)) == by_python(text)
        for broken in (
            text.replace(string, string[:-1]),
            text.replace(string, f'"\\q{string[1:]}'),
        ):
            with pytest.raises(NotJson):
                parse(broken)


@pytest.mark.parametrize(
    "escapes", [r"\ud83d\ude00", r"\\\"\\", r"\\ud83d\\ude00", r"\ude00", ",", '","']
)
def test_strings_are_read_as_written_wherever_a_window_ends(escapes: str) -> None:
    before = 20 if escapes == '","' else 0
    for size in range(WINDOW - 13, WINDOW + 2):
        text = f'["{"x" * size}{escapes * 20}", 1, 2]'

        assert plain(parse(text)) == by_python(text)
        assert find_comma(text, before) == text.index(", 1")
        assert find_comma(text, before + 1) == text.index(", 2")
        assert find_comma(text, before + 2) is None


@pytest.mark.parametrize("around", ['["{}', '{{"{}', '{{"a":"{}'])
@pytest.mark.parametrize("end", ["", "\\", r"\u00", r"\q", '\\q"'])
def test_a_fault_at_the_end_of_a_long_string_is_found(around: str, end: str) -> None:
    text = around.format(r"\n" * WINDOW + end)

    with pytest.raises(NotJson) as caught:
        parse(text)

    assert caught.value.at_end == ("q" not in end)
    assert text[caught.value.position] == ("\\" if "q" in end else '"')


def test_a_long_string_that_was_cut_off_is_not_taken_for_many_values() -> None:
    with pytest.raises(NotJson, match="a string without end"):
        parse('["' + "a, b, " * 1_000, max_values=100)


@pytest.mark.parametrize("text", ["", "x", "é😀", "\ud800", "x\ud83d\ude00"])
def test_large_sources_are_encoded_in_pieces_and_hashed_alike(text: str) -> None:
    text = text * 300_000
    value = parse(f'[1, "{text}"]')
    assert isinstance(value, Array)
    string = value.items[1]
    expected = string.source.encode("utf-8", "surrogatepass")

    assert b"".join(string.iter_bytes()) == expected
    assert string.length == len(string.source)
    assert max(map(len, string.iter_bytes())) <= 2**20
    assert string.digest() == blake2b(expected, digest_size=20).digest()


def refuse(constant: str) -> None:
    raise ValueError(constant)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": "x\ny"}', "a line break in a string at line 1, column 9"),
        ('["a", "b\tc"]', "a tab in a string at line 1, column 9"),
        ('"\x00"', "the control character U+0000 in a string at line 1, column 2"),
        ("[1, NaN]", "NaN is not a number of JSON at line 1, column 5"),
        ("-Infinity", "-Infinity is not a number of JSON at line 1, column 1"),
        ('{\n\t"NaN": "\\n \\" Infinity"\r\n}', None),
    ],
)
def test_what_other_parsers_refuse_is_found(text: str, problem: str | None) -> None:
    parse(text)
    found = find_extension(text)
    assert (str(found) if found else None) == problem
    if found:
        with pytest.raises(ValueError):
            json.loads(text, parse_constant=refuse)


@given(json_texts)
@checked
def test_what_the_standard_library_reads_has_no_extension(text: str) -> None:
    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return
    assert find_extension(text) is None
