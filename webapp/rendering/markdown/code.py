"""Highlight blocks of code: which languages, up to which size, with which classes.

A lexer is a set of regular expressions, and most can be made slow; `bench/lexers.py` measures
their cost. The clock is read between tokens, so the slowest single token counts: `max_length` is
the size up to which it takes less than 50 ms with every lexer of the table. In any case, the text
of a block is its source, character by character.
"""

from __future__ import annotations

import re
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

from webapp.rendering.citations.markers import split_marks
from webapp.rendering.markdown.context import Scope, note_limited_time
from webapp.rendering.markdown.lexing import iter_tokens, read_states

_MAX_INFO: Final = 200
_TOKENS_PER_CHECK: Final = 32
_SNIPPET_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Language:
    """The lexer of a language, and how many characters it is trusted with."""

    lexer: str
    max_length: int = 50_000


_TRUSTED: Final = [
    "bash",
    "c",
    "cpp",
    "csharp",
    "css",
    "diff",
    "docker",
    "fsharp",
    "go",
    "html",
    "java",
    "javascript",
    "json",
    "kotlin",
    "lua",
    "objective-c",
    "powershell",
    "python",
    "pytb",
    "r",
    "rust",
    "sql",
    "swift",
    "toml",
    "typescript",
    "xml",
    "yaml",
]
LANGUAGES: Final[dict[str, Language]] = {
    **{name: Language(name) for name in _TRUSTED},
    "console": Language("console", 2_000),
    "hcl": Language("hcl", 2_000),
    "makefile": Language("makefile", 5_000),
    "pycon": Language("pycon", 2_000),
}
_ALIASES: Final = {
    alias: name
    for name, aliases in {
        "bash": "sh shell shellscript zsh ksh fish",
        "console": "bash-session sh-session shell-session terminal",
        "cpp": "c++ cc cxx h hpp",
        "csharp": "c# cs",
        "diff": "patch udiff",
        "docker": "dockerfile",
        "fsharp": "f# fs fsi fsx",
        "go": "golang",
        "hcl": "terraform tf tfvars",
        "html": "htm xhtml vue svelte",
        "javascript": "cjs js jsx mjs node",
        "json": "geojson json5 jsonc jsonl ndjson",
        "kotlin": "kt",
        "makefile": "make",
        "objective-c": "objc objectivec obj-c",
        "powershell": "ps ps1 pwsh",
        "pytb": "traceback",
        "python": "py py3 pyi python3 sage",
        "rust": "rs",
        "sql": "mysql postgres postgresql sqlite",
        "typescript": "cts mts ts tsx",
        "xml": "svg xsd xsl xslt",
        "yaml": "yml",
    }.items()
    for alias in aliases.split()
}

_ENDS_NAME: Final = re.compile(r"[:{\[(=]")
_BEFORE_NAME: Final = re.compile(r"(?:language|lang|class|type)[-=:]\"?|\"$")

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

_WITH_BACKGROUND: Final = frozenset({"deleted", "inserted"})
"""Classes whose background would show through white space."""

_get_lexer = lru_cache(maxsize=64)(get_lexer_by_name)


def render_code(source: str, info: str, scope: Scope) -> str:
    """Render the placeholder of a code block, followed by its citation marks."""
    code, marks = split_marks(source)
    plain_info, info_marks = split_marks(info)
    label = plain_info.strip()
    if len(label) > _MAX_INFO:
        label = f"{label[:_MAX_INFO]}…"

    def render() -> Markup:
        language = find_language(plain_info)
        highlighted = None
        most = scope.page.budgets.code_bytes
        if language and len(code.encode("utf-8", "surrogatepass")) > most:
            scope.note(f"Code of more than {most:,} bytes is shown without colours.")
        elif language and len(code) <= LANGUAGES[language].max_length:
            highlighted = highlight(code, language, until=scope.meter.code_deadline())
        return _build(code, label, language, highlighted)

    return scope.placeholder(render) + info_marks + marks + "\n"


def render_snippet(code: str, label: str, language: str) -> Markup:
    """Render code of ours as a block with a button that copies it."""
    highlighted = None
    if len(code) <= LANGUAGES[language].max_length:
        highlighted = highlight(code, language, until=time.thread_time() + _SNIPPET_SECONDS)
    return _build(code, label, language, highlighted)


def find_language(info: str) -> str | None:
    """Find the language of our table that the first word of `info` names, if any."""
    word = get_first_word(info).lower()
    # `python:src/app.py`, `language-python`, `12:15:src/app.py` and `src/app.py` as well.
    extension = word.rpartition(".")[2] if word.rfind(".") > 0 else ""
    # Documents mark lines as in `ts{1,3}`, and some write `lang=js`.
    for written in (word, _ENDS_NAME.split(word)[0], extension):
        plain = _BEFORE_NAME.sub("", written)
        name = _ALIASES.get(plain, plain)
        if name in LANGUAGES:
            return name
    return None


def get_first_word(info: str) -> str:
    """Return the first word after a fence: `python` of `python title="x"` and of `{.python}`."""
    words = info.strip().lstrip("{.").replace(",", " ").replace("}", " ").split()
    return words[0] if words else ""


def highlight(code: str, language: str, *, until: float) -> Markup | None:
    """Highlight `code` in spans with classes; None if `time.thread_time` exceeded `until`.

    The first use of a lexer compiles its patterns, up to 0.1 s; `until` is so much later then.
    """
    pieces: list[str] = []
    length = 0
    with note_limited_time():
        begin = time.thread_time()
        lexer = _get_lexer(LANGUAGES[language].lexer, stripnl=False, ensurenl=False)
        read_states(lexer)
        until += time.thread_time() - begin
        for kind, text in _merge_tokens(code, lexer, until):
            length += len(text)
            escaped = str(escape(text))
            pieces.append(f'<span class="code-{kind}">{escaped}</span>' if kind else escaped)
    return Markup("".join(pieces)) if length == len(code) else None


def split_lines(html: Markup) -> list[Markup]:
    """Split highlighted code into lines, each with complete spans."""
    lines: list[Markup] = []
    opened = ""
    for line in str(html).split("\n"):
        line = opened + line
        start = line.rfind("<span ")
        is_open = start > line.rfind("</span>")
        opened = line[start : line.index(">", start) + 1] if is_open else ""
        lines.append(Markup(f"{line}</span>" if is_open else line))
    return lines


def _build(code: str, label: str, language: str | None, highlighted: Markup | None) -> Markup:
    return Markup(
        '<div class="code"{}><div class="code-head">{}'
        '<button type="button" class="quiet" data-copy-code>copy</button></div>'
        '<pre tabindex="0"><code>{}</code></pre></div>'
    ).format(
        Markup(' data-language="{}"').format(language) if language else "",
        Markup('<bdi class="code-language">{}</bdi>').format(label),
        escape(code) if highlighted is None else highlighted,
    )


def _merge_tokens(code: str, lexer: Lexer, until: float) -> Iterator[tuple[str, str]]:
    """Yield class and text of `code`, merging neighbours of one class; stop after `until`."""
    open_kind = ""
    waiting: list[str] = []
    for count, (token, text) in enumerate(iter_tokens(code, lexer)):
        if count % _TOKENS_PER_CHECK == 0 and time.thread_time() > until:
            return
        keeps_kind = text.isspace() and open_kind not in _WITH_BACKGROUND
        kind = open_kind if keeps_kind else _get_class(token)
        if kind != open_kind:
            yield open_kind, "".join(waiting)
            open_kind, waiting = kind, []
        waiting.append(text)
    yield open_kind, "".join(waiting)


@lru_cache(maxsize=512)
def _get_class(token: TokenType) -> str:
    """Find the class of a token type or of its nearest ancestor that has one."""
    kind: TokenType | None = token
    while kind is not None and kind is not Token:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = kind.parent
    return ""
