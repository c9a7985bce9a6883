"""Secrets that are put into a text by its program: `"password=%s" % "…"`, `.format(…)`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.context import ANY_HINT
from webapp.redaction.rules.kinds import SecretPlace
from webapp.redaction.rules.names import classify
from webapp.redaction.rules.shapes import has_shape

_FIELD: Final = r"(?:%[-+0-9.]{0,6}[sdrvq]|\{[^{}\n]{0,40}\}|\$\{?[0-9]\}?|\?)"
_NAMED: Final = re.compile(
    rf"(?P<name>[^\W\d][\w.-]{{1,60}})[\"']?[ ]?[:=][ ]?[\"'\\]{{0,2}}(?P<field>{_FIELD})"
)
_ANY_FIELD: Final = re.compile(_FIELD)
_QUOTE: Final = re.compile(r"[\"'`]")
_LONGEST: Final = 400
_ARGUMENTS: Final = re.compile(
    r"[\"'`][ \t)]{0,3}\s{0,20}(?:%\s{0,4}|\.\s{0,20}format\s{0,2}|,\s{0,20})\(?\s{0,20}"
)
_STRING_ARGUMENT: Final = re.compile(
    r"(?:(?P<name>\w{1,60})\s{0,2}=\s{0,2})?[bru@$]{0,2}(?:\"(?P<a>[^\"\n]{0,400})\"|'"
    r"(?P<b>[^'\n]{0,400})')\s{0,9}[,)]?"
)
_OTHER_ARGUMENT: Final = re.compile(r"[^\"',()\n]{1,100}(?:\([^()\n]{0,100}\))?\s{0,9},?")

LITERALS_NEEDS: Final = (
    rf"(?i:(?:{ANY_HINT})[\p{{L}}\p{{N}}_.-]*[\"']? ?[:=] ?[\"'\\]*(?:%[-+0-9.]*[sdrvq]"
    rf"|\{{[^{{}}\n]*\}}"
    r"|\$[0-9{]|\?)"
    rf"|(?:{ANY_HINT})\w*(?:, ?[$]?\w+)*[\])]?[ ]?:?=[ ]?[\[(]?[bru]?[\"'][^\"'\n]*[\"'],)"
)


_TUPLE: Final = re.compile(
    # Several names, and as many values.
    r"(?P<names>[$]?[A-Za-z_]\w{0,60}(?:,[ ]?[$]?[A-Za-z_]\w{0,60}){1,7})[\])]?[ ]?:?=[ ]?[\[(]?"
    r"(?P<values>[bru]?[\"'][^\"'\n]{0,400}[\"'](?:,[ ]?[bru]?[\"'][^\"'\n]{0,400}[\"']){1,7})"
)
_TUPLE_VALUE: Final = re.compile(r"[bru]?[\"'](?P<secret>[^\"'\n]{0,400})[\"']")


def _find_in_tuples(text: str) -> Iterator[SecretPlace]:
    for match in _TUPLE.finditer(text):
        names = [name.strip(" $") for name in match["names"].split(",")]
        values = list(_TUPLE_VALUE.finditer(text, *match.span("values")))
        if len(names) == len(values):
            for name, value in zip(names, values, strict=True):
                known = classify(name)
                if known is not None and has_shape(value["secret"], known[1], is_quoted=True):
                    yield SecretPlace(known[0], *value.span("secret"))


def find_in_literals(text: str) -> Iterator[SecretPlace]:
    """Yield the values of names in a list, and those that fill the field after a name."""
    yield from _find_in_tuples(text)
    for match in _NAMED.finditer(text):
        known = classify(match["name"].rpartition(".")[2])
        if known is None:
            continue
        line = text.rfind("\n", max(match.start() - _LONGEST, 0), match.start()) + 1
        line = max(line, match.start() - _LONGEST)
        opener = None
        for quote in _QUOTE.finditer(text, line, match.start()):
            # The last one that is open.
            if opener is None:
                opener = quote
            elif quote[0] == opener[0]:
                opener = None
        if opener is None:
            continue
        end = text.find(opener[0], match.end(), match.end() + _LONGEST)
        arguments = _ARGUMENTS.match(text, end) if end > 0 else None
        if arguments is None:
            continue
        fields = [one[0] for one in _ANY_FIELD.finditer(text, opener.end(), match.start("field"))]
        secret = _find_argument(text, arguments.end(), match["field"], len(fields))
        if secret is not None and has_shape(text[slice(*secret)], known[1], is_quoted=True):
            yield SecretPlace(known[0], *secret)


def _find_argument(text: str, at: int, field: str, number: int) -> tuple[int, int] | None:
    """Find the argument of a field, by its name or by its number."""
    wanted = field.strip("{}").partition(":")[0] if field.startswith("{") else ""
    if wanted.isdigit():
        number, wanted = int(wanted), ""
    elif field.startswith("$") and field.strip("${}").isdigit():
        number = int(field.strip("${}")) - 1
    for position in range(20):
        argument = _STRING_ARGUMENT.match(text, at)
        if argument is not None and argument.lastgroup:
            group = "a" if argument["a"] is not None else "b"
            if argument["name"] == wanted if wanted else position == number:
                return argument.span(group)
        else:
            argument = _OTHER_ARGUMENT.match(text, at)
            if argument is None:
                return None
        at = argument.end()
        at += len(text[at : at + 40]) - len(text[at : at + 40].lstrip())
    return None
