"""JSON as written: values that know which characters of the document they are.

Owns reading and re-indenting JSON without changing a character of any number, string or
name: `1.0` stays `1.0`, a 64-bit `seed` keeps its digits, duplicate names and their order
stay. Nothing here knows what the JSON is about.

The reader is iterative, so nesting depth is bounded by memory and not by Python's stack. It
takes what servers send beyond RFC 8259: `NaN`, `Infinity`, raw control characters in strings
and lone surrogates.

    values      `Value` and its kinds, each knowing its characters
    lexemes     what a number, a string, a name look like
    parser      a document read as a `Value`
    layout      the same lexemes, indented or without white space
"""

from webapp.exact_json.layout import MAX_INDENTED_LEVELS, compact, indented, indented_value
from webapp.exact_json.parser import NotJson, parse
from webapp.exact_json.values import (
    Array,
    Boolean,
    Member,
    Null,
    Number,
    Object,
    String,
    Value,
)

__all__ = [
    "MAX_INDENTED_LEVELS",
    "Array",
    "Boolean",
    "Member",
    "NotJson",
    "Null",
    "Number",
    "Object",
    "String",
    "Value",
    "compact",
    "indented",
    "indented_value",
    "parse",
]
