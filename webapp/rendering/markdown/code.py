"""Blocks of code: which languages are coloured, to what size, and with which classes.

A lexer is a set of regular expressions, and most can be made slow: their costs are measured by
`bench/lexers.py`. Time is looked at between tokens, so what counts is the slowest single token;
`most` is the size to which it stays below 50 ms with every lexer of the table. Whatever happens,
the text of a block is the source, character by character.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, Token
from pygments.token import _TokenType as TokenType

from webapp.rendering.markdown.context import Scope
from webapp.rendering.markdown.marks import split_marks

_MAX_WORD: Final = 30
_TOKENS_PER_LOOK: Final = 32


@dataclass(frozen=True, slots=True)
class Language:
    """How one language is coloured: the name of its lexer, and the size it is trusted with."""

    lexer: str
    most: int = 50_000


LANGUAGES: Final[dict[str, Language]] = {
    **{
        name: Language(name)
        for name in ("bash", "c", "cpp", "csharp", "css", "diff", "docker", "go", "html", "java")
        + ("javascript", "json", "kotlin", "lua", "powershell", "python", "pytb", "r", "rust")
        + ("sql", "swift", "toml", "typescript", "xml", "yaml")
    },
    "console": Language("console", 2_000),
    "makefile": Language("makefile", 5_000),
    "pycon": Language("pycon", 2_000),
}
_ALIASES: Final = {
    **dict.fromkeys(("c++", "cc", "cxx", "h", "hpp"), "cpp"),
    **dict.fromkeys(("cjs", "js", "jsx", "mjs", "node"), "javascript"),
    **dict.fromkeys(("c#", "cs"), "csharp"),
    **dict.fromkeys(("htm", "xhtml"), "html"),
    **dict.fromkeys(("json5", "jsonc", "jsonl", "ndjson"), "json"),
    **dict.fromkeys(("mysql", "postgres", "postgresql", "sqlite"), "sql"),
    **dict.fromkeys(("patch", "udiff"), "diff"),
    **dict.fromkeys(("ps", "ps1", "pwsh"), "powershell"),
    **dict.fromkeys(("py", "py3", "pyi", "python3", "sage"), "python"),
    **dict.fromkeys(("sh", "shell", "zsh", "ksh", "fish"), "bash"),
    **dict.fromkeys(("shell-session", "sh-session", "terminal"), "console"),
    **dict.fromkeys(("svg", "xsd", "xsl", "xslt"), "xml"),
    "dockerfile": "docker",
    "golang": "go",
    "kt": "kotlin",
    "make": "makefile",
    "rs": "rust",
    "traceback": "pytb",
    "ts": "typescript",
    "tsx": "typescript",
    "yml": "yaml",
}

_CLASSES: Final[dict[TokenType, str]] = {
    Comment: "comment",
    Comment.Preproc: "keyword",
    Comment.PreprocFile: "string",
    Generic.Deleted: "deleted",
    Generic.Heading: "heading",
    Generic.Inserted: "inserted",
    Generic.Prompt: "comment",
    Generic.Subheading: "heading",
    Keyword: "keyword",
    Keyword.Constant: "constant",
    Keyword.Type: "type",
    Name.Attribute: "attribute",
    Name.Builtin: "builtin",
    Name.Class: "type",
    Name.Decorator: "attribute",
    Name.Exception: "type",
    Name.Function: "function",
    Name.Tag: "tag",
    Name.Variable: "variable",
    Number: "constant",
    Operator.Word: "keyword",
    String: "string",
    String.Doc: "comment",
    String.Escape: "constant",
    String.Interpol: "constant",
}

_GROUNDS: Final = frozenset({"deleted", "inserted"})
"""Classes with a ground of their own, which white space would show."""


def block(source: str, info: str, scope: Scope) -> str:
    """What stands for a block of code meanwhile; its marks follow it."""
    code, marks = split_marks(source)
    named, first = split_marks(info)
    return scope.hold(lambda: _block(code, named, scope)) + first + marks + "\n"


def language_of(info: str) -> str | None:
    """The language of our table that the first word of `info` names."""
    word = first_word(info).lower()
    name = _ALIASES.get(word, word)
    return name if name in LANGUAGES else None


def first_word(info: str) -> str:
    """The word behind a fence: `python` of `python title="x"` and of `{.python}`."""
    words = info.strip().lstrip("{.").replace(",", " ").replace("}", " ").split()
    return words[0] if words else ""


def coloured(code: str, language: str, *, until: float) -> Markup | None:
    """`code` in spans with classes; None when it took beyond `until` by `time.thread_time`."""
    pieces: list[str] = []
    length = 0
    for kind, text in _merged(code, _lexer(LANGUAGES[language].lexer), until):
        length += len(text)
        shown = str(escape(text))
        pieces.append(f'<span class="code-{kind}">{shown}</span>' if kind else shown)
    return Markup("".join(pieces)) if length == len(code) else None


def _block(code: str, info: str, scope: Scope) -> Markup:
    language = language_of(info)
    shown = _coloured_or_none(code, language, scope) if language else None
    return Markup(
        '<div class="code"{}><div class="code-head">{}'
        '<button type="button" class="quiet" data-copy-code>copy</button></div>'
        '<pre tabindex="0"><code>{}</code></pre></div>'
    ).format(
        Markup(' data-language="{}"').format(language) if language else "",
        Markup('<bdi class="code-language">{}</bdi>').format(first_word(info)[:_MAX_WORD]),
        escape(code) if shown is None else shown,
    )


def _coloured_or_none(code: str, language: str, scope: Scope) -> Markup | None:
    most = scope.page.budgets.code_bytes
    if len(code.encode("utf-8", "surrogatepass")) > most:
        scope.note(f"Code of more than {most:,} bytes is shown without colours.")
        return None
    if len(code) > LANGUAGES[language].most:
        return None
    return coloured(code, language, until=scope.meter.code_deadline())


def _merged(code: str, lexer: Lexer, until: float) -> Iterator[tuple[str, str]]:
    """Class and text of `code`, neighbours of one class together; ends early beyond `until`."""
    open_kind = ""
    waiting: list[str] = []
    for count, (_, token, text) in enumerate(lexer.get_tokens_unprocessed(code)):
        if count % _TOKENS_PER_LOOK == 0 and time.thread_time() > until:
            return
        kind = open_kind if text.isspace() and open_kind not in _GROUNDS else _class_of(token)
        if kind != open_kind:
            yield open_kind, "".join(waiting)
            open_kind, waiting = kind, []
        waiting.append(text)
    yield open_kind, "".join(waiting)


@lru_cache(maxsize=512)
def _class_of(token: TokenType) -> str:
    """The class of a kind of token, or of the kind it belongs to."""
    kind: TokenType | None = token
    while kind is not None and kind is not Token:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = kind.parent
    return ""


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)
