"""Parse JSON into values that keep their exact source.

No character of a number, string or name is ever changed: `1.0` stays `1.0`, a 64-bit `seed`
keeps its digits, and duplicate names stay in their order.

The parser is iterative, so nesting is bounded by `MAX_LEVELS` and not by Python's stack. It
accepts more than RFC 8259 because servers send more: `NaN`, `Infinity`, raw control characters
in strings, and lone surrogates.

    values      `Value` and its kinds, each with its source
    rope        a text with its long strings apart
    lexemes     the patterns of numbers, strings and names
    parser      parses a document as a `Value`, and finds extensions that other parsers refuse
    writing     indents a value or strips its white space, and writes objects and arrays of values
"""

from webapp.exact_json.parser import (
    NotJson,
    Slot,
    TooManyValues,
    find_extension,
    list_slots,
    parse,
)
from webapp.exact_json.rope import Document, Rope, decode_json
from webapp.exact_json.values import (
    Array,
    Boolean,
    Integer,
    Member,
    Null,
    Number,
    Object,
    String,
    Value,
    digest_text,
    iter_encoded,
)
from webapp.exact_json.writing import (
    MAX_INDENTED_LEVELS,
    compact,
    indent,
    indent_source,
    write_array,
    write_members,
    write_object,
)

__all__ = [
    "MAX_INDENTED_LEVELS",
    "Array",
    "Boolean",
    "Document",
    "Integer",
    "Member",
    "NotJson",
    "Null",
    "Number",
    "Object",
    "Rope",
    "Slot",
    "String",
    "TooManyValues",
    "Value",
    "compact",
    "decode_json",
    "digest_text",
    "find_extension",
    "indent",
    "indent_source",
    "iter_encoded",
    "list_slots",
    "parse",
    "write_array",
    "write_members",
    "write_object",
]
