"""Number footnotes, and list them below the text: `[^1]` and `[^1]: The note.`

The numbers count the references; the names that the text gives its notes are never part of the
page. A note that nothing refers to keeps its place, with its marker.

The links between a reference and its note are made by `link_notes` after the HTML is sanitized:
their ids are ours, and distinct on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

_REFERENCE: Final = re.compile(r"\[\^[^\]\s]{1,100}\]")
_NOTES: Final = re.compile(
    r'<sup class="footnote">\[(?P<to>[0-9]+)\]</sup>|<li class="footnote">|'
    r'<sup class="footnote">\^(?P<back>[0-9]+)</sup>'
)


def install(parser: MarkdownIt) -> None:
    """Add footnotes to `parser`."""
    footnote_plugin(parser, inline=False)
    parser.inline.ruler.at("footnote_ref", parse_reference)
    parser.core.ruler.after("inline", "unused_footnotes", show_unused)
    parser.add_render_rule("footnote_ref", render_reference)
    parser.add_render_rule("footnote_block_open", render_list_start)
    parser.add_render_rule("footnote_block_close", render_list_end)
    parser.add_render_rule("footnote_open", render_note_start)
    parser.add_render_rule("footnote_anchor", render_return)


def parse_reference(state: StateInline, silent: bool) -> bool:
    """Parse a reference with a name of usual length: the plugin looks for its end without limit."""
    if not _REFERENCE.match(state.src, state.pos, state.posMax):
        return False
    return footnote_ref(state, silent)


def show_unused(state: StateCore) -> None:
    """Turn notes without a reference, or defined again, back into blocks of the text.

    The plugin drops both. Of `See[^a].`, `[^a]: One.`, `[^a]: Two.` and `[^b]: Three.` the first
    note stays one, and the others become the paragraphs `[^a]: Two.` and `[^b]: Three.`: their
    marker is put before their first text, or into a paragraph of its own if they have none.
    """
    notes = state.env.get("footnotes", {}).get("list", {}).values()
    waiting = {note["label"] for note in notes}
    kept: list[Token] = []
    shown: list[bool] = []
    marker = ""
    for token in state.tokens:
        if token.type == "footnote_reference_open":
            name = token.meta["label"]
            shown.append(name not in waiting)
            waiting.discard(name)
            if shown[-1]:
                marker = f"[^{name}]: "
                continue
        elif token.type == "footnote_reference_close" and shown.pop():
            if marker:
                level = token.level
                inline = Token("inline", "", 0, content=marker, level=level + 1)
                inline.children = [_make_text(marker)]
                begin = Token("paragraph_open", "p", 1, block=True, level=level)
                end = Token("paragraph_close", "p", -1, block=True, level=level)
                kept += [begin, inline, end]
                marker = ""
            continue
        elif marker and token.type == "inline":
            if kept[-1].type == "paragraph_open":
                kept[-1].attrs["class"] = "link-definition"
            token.children = [_make_text(marker), *(token.children or [])]
            marker = ""
        kept.append(token)
    state.tokens = kept


def _make_text(text: str) -> Token:
    return Token("text", "", 0, content=text)


# Render rules. markdown-it passes the renderer as their first argument.


def render_reference(
    _self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType
) -> str:
    return f'<sup class="footnote">[{tokens[at].meta["id"] + 1}]</sup>'


def render_list_start(
    _self: RendererHTML, _tokens: Sequence[Token], _at: int, _options: OptionsDict, _env: EnvType
) -> str:
    return '<hr>\n<ol class="footnotes">\n'


def render_list_end(
    _self: RendererHTML, _tokens: Sequence[Token], _at: int, _options: OptionsDict, _env: EnvType
) -> str:
    return "</ol>\n"


def render_note_start(
    _self: RendererHTML, _tokens: Sequence[Token], _at: int, _options: OptionsDict, _env: EnvType
) -> str:
    return '<li class="footnote">'


def render_return(
    _self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType
) -> str:
    is_first = tokens[at].meta.get("subId", 0) == 0
    return f'<sup class="footnote">^{tokens[at].meta["id"] + 1}</sup>' if is_first else ""


def link_notes(html: Markup, *, anchor: str, numbers: Iterator[int]) -> Markup:
    """Link the notes of sanitized `html` with their references, by ids that begin with `anchor`.

    The next of `numbers` distinguishes the text from others of the anchor. A note leads back to its
    first reference. Without an anchor nothing is linked.
    """
    if 'class="footnote' not in html:
        return html
    if anchor:
        anchor = f"{anchor}-{next(numbers)}"
    seen: set[str] = set()
    starts = count(1)

    def link(found: re.Match[str]) -> str:
        if number := found["to"]:
            if not anchor:
                return found[0]
            own = "" if number in seen else f' id="{anchor}-noteref-{number}"'
            seen.add(number)
            return (
                f'<sup class="footnote"><a{own} href="#{anchor}-note-{number}" '
                f'role="doc-noteref">[{number}]</a></sup>'
            )
        if number := found["back"]:
            if number not in seen:
                return ""
            return (
                f' <a href="#{anchor}-noteref-{number}" role="doc-backlink" '
                f'aria-label="back to reference {number}">↩</a>'
            )
        return f'<li id="{anchor}-note-{next(starts)}">' if anchor else "<li>"

    return Markup(_NOTES.sub(link, html))
