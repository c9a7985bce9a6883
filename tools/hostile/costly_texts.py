"""Texts that are costly to render, by class: each name gives a text of about the size asked for.

Every class repeats whatever makes some parser look ahead, look back or keep something open.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, TypeAlias

Maker: TypeAlias = Callable[[int], str]


def repeated(piece: str, *, before: str = "", after: str = "") -> Maker:
    """A maker of `piece` over and over, between `before` and `after`."""

    def make(size: int) -> str:
        return before + piece * max(1, size // len(piece)) + after

    return make


def _counted(form: str) -> Maker:
    """A maker of lines that differ: `form` takes a number."""

    def make(size: int) -> str:
        length = len(form.format(100_000))
        return "".join(form.format(number) for number in range(max(1, size // length)))

    return make


def _wide_table(size: int) -> str:
    """A table with as many columns as its two first lines hold, and one short row."""
    columns = max(1, size // 8)
    return "|a" * columns + "|\n" + "|-" * columns + "|\n|x|\n"


def _square_table(size: int) -> str:
    """A wide table of many empty rows: each of them is filled up with cells."""
    columns = max(1, size // 16)
    return "|a" * columns + "|\n" + "|-" * columns + "|\n" + "|x\n" * (size // 6)


def _growing_backticks(size: int) -> str:
    """Runs of backticks, each longer than those before: none has an end."""
    runs = []
    total = length = 0
    while total < size:
        length += 1
        total += length + 1
        runs.append("`" * length)
    return " ".join(runs)


def _nested_quotes(size: int) -> str:
    """Quotes one deeper on each line."""
    lines = []
    total = depth = 0
    while total < size:
        depth += 1
        total += depth + 2
        lines.append(">" * depth + "a")
    return "\n".join(lines)


def _noise(alphabet: str) -> Maker:
    """A maker of signs in a random order that is the same each time."""

    def make(size: int) -> str:
        return "".join(random.Random(4).choices(alphabet, k=size))

    return make


HOSTILE_TEXTS: Final[dict[str, Maker]] = {
    "opening brackets": repeated("["),
    "closing brackets": repeated("]"),
    "empty links": repeated("[]("),
    "links in links": repeated("[a](b"),
    "image openings": repeated("!["),
    "images": repeated("![a](https://a.example/b.png) "),
    "bracket pairs": repeated("[a]"),
    "reference links": repeated("[a][b]"),
    "reference definitions": _counted("[r{0}]: https://a.example/{0}\n"),
    "unfinished definitions": repeated("[a]: <b\n"),
    "definition titles": repeated("[a]: b '\n"),
    "one definition": repeated("[a] ", before="[a]: https://a.example\n\n"),
    "parentheses": repeated("("),
    "link with parentheses": repeated("(", before="[a]("),
    "backticks": repeated("`"),
    "backtick pairs": repeated("`a"),
    "growing backticks": _growing_backticks,
    "stars": repeated("*"),
    "star and word": repeated("*a "),
    "word and star": repeated("a*"),
    "mixed emphasis": repeated("*a _"),
    "closed emphasis": repeated("*a**b"),
    "triple emphasis": repeated("***a**b*c"),
    "underscores": repeated("_"),
    "tildes": repeated("~"),
    "tilde pairs": repeated("~~a"),
    "fence after fence": repeated("```\n"),
    "one open fence": repeated("a\n", before="```python\n"),
    "tilde fences": repeated("~~~a\n"),
    "long fence": repeated("`", after="\n"),
    "short fences": repeated("```python\nx\n```\n"),
    "quotes on one line": repeated(">"),
    "quotes with spaces": repeated("> "),
    "nested quotes": _nested_quotes,
    "details without end": repeated("<details>\n"),
    "details": repeated("<details><summary>a</summary>\nb</details>\n"),
    "nested details": repeated("<details>\n", after="\n</details>" * 500),
    "details in items": repeated("- <details>\n", after="</details>" * 500),
    "summaries": repeated("<details><summary>\n"),
    "subscripts": repeated("<sub>"),
    "closed subscripts": repeated("<sub>" * 20 + "</sub>" * 20),
    "quote lines": repeated("> a\n"),
    "list marks on one line": repeated("- "),
    "list items": repeated("- a\n"),
    "numbered items": repeated("1. a\n"),
    "indented items": repeated("  - a\n    - b\n"),
    "loose items": repeated("- a\n\n"),
    "tasks": repeated("- [x] a\n"),
    "headings": repeated("# a\n"),
    "hashes": repeated("#"),
    "underlines": repeated("a\n=\n"),
    "equal signs": repeated("="),
    "equal lines": repeated("=\n"),
    "dashes": repeated("-"),
    "rules": repeated("---\n"),
    "rules with spaces": repeated("- - - a\n"),
    "pipes": repeated("|"),
    "pipe lines": repeated("|a|b|\n"),
    "delimiter rows": repeated("|-\n"),
    "wide table": _wide_table,
    "square table": _square_table,
    "many tables": repeated("|a|\n|-|\n|b|\n\n"),
    "escaped pipes": repeated("\\|", before="|a|\n|-|\n|"),
    "less-than signs": repeated("<"),
    "open tags": repeated("<a"),
    "autolink openings": repeated("<http://a"),
    "comments": repeated("<!--"),
    "instructions": repeated("<?"),
    "declarations": repeated("<!A"),
    "cdata": repeated("<![CDATA["),
    "attribute": repeated("a=", before="<a "),
    "attributes": repeated("<a b='"),
    "html block": repeated("<div>\n"),
    "addresses": repeated("http://a."),
    "addresses with spaces": repeated("http://a.example "),
    "address marks": repeated("://"),
    "long address": repeated("a", before="https://a.example/"),
    "dots of an address": repeated("a.", before="https://"),
    "parentheses of an address": repeated("(", before="https://a.example/"),
    "closings of an address": repeated(")", before="https://a.example/"),
    "entities of an address": repeated("&amp;", before="https://a.example/"),
    "punctuation of an address": repeated(".", before="https://a.example/"),
    "www": repeated("www."),
    "www with spaces": repeated("www.a.example "),
    "at signs": repeated("@"),
    "addresses of mail": repeated("a@b."),
    "long name of mail": repeated("a.", after="@b.example"),
    "mails": repeated("a@b.example "),
    "dollars": repeated("$"),
    "dollars and words": repeated("$a "),
    "formulas": repeated("$a$ "),
    "dollars with spaces": repeated("$ "),
    "display openings": repeated("$$a\n"),
    "display lines": repeated("$$\n"),
    "formula brackets": repeated("\\["),
    "formula bracket lines": repeated("\\[\n"),
    "formula parentheses": repeated("\\("),
    "formula pairs": repeated("\\(a\\)"),
    "nested formula": repeated("{", before="$", after="$"),
    "fractions": repeated("\\frac{", before="$", after="$"),
    "powers": repeated("^", before="$a", after="$"),
    "math fences": repeated("```math\nx^2\n```\n"),
    "backslashes": repeated("\\"),
    "escapes": repeated("\\*"),
    "entities": repeated("&amp;"),
    "ampersands": repeated("&"),
    "numbered entities": repeated("&#x41;"),
    "unknown entities": repeated("&a;"),
    "exclamation marks": repeated("!"),
    "colons": repeated(":"),
    "braces": repeated("{}"),
    "percent signs": repeated("%"),
    "spaces": repeated(" "),
    "spaces and a word": repeated(" ", before="a", after="b"),
    "tabs": repeated("\t"),
    "line breaks": repeated("\n"),
    "carriage returns": repeated("\r"),
    "short lines": repeated("a\n"),
    "hard breaks": repeated("a  \n"),
    "indented code": repeated("    a\n"),
    "one long word": repeated("a"),
    "words": repeated("word "),
    "nulls": repeated("\0"),
    "lone surrogates": repeated("\ud800"),
    "right-to-left overrides": repeated("\u202e"),
    "combining marks": repeated("\u0301", before="a"),
    "emoji": repeated("\U0001f469\u200d\U0001f469\u200d\U0001f467 "),
    "mark noncharacters": repeated("\u2e28\ufdd01\ufdd1\u2e29"),
    "every sign": _noise("[]()*_~`<>&!#|:-+=\\/$^{}'\"@. \n\ta1"),
    "block signs": _noise(">-+*#|=`~ \n\n1."),
    "inline signs": _noise("[]()*_~`!<a "),
}
