"""Values to Markup: the only place of the program where `Markup` is made.

    markdown    text as Markdown, in budgets, cleaned twice
    links       which addresses a link may have
    citations   url citations: where their marks go in a text
    sources     what a message cites, and which range of its text
    thoughts    reasoning that stands in the text of an answer
    characters  marks around what nobody sees
    remote      images on other servers: which may be loaded, and from what origin
    folding     how much of a long text is in view at once
    slices      texts too long for a page, in parts
    open_blocks what is open where a part begins: code, tables, what they stand in
    exact       JSON as it was written, indented
    tree        JSON as nested lists
    structure   text that is JSON, XML, a table or terminal output as a whole; beside it
                ansi, xml_text and csv_table
    arguments, definitions, tool_names
                what is shown of a tool call
    settings_told
                nested settings of a request in a few words

Everything that comes in is untrusted; everything that goes out is safe to put into a page.
"""

from webapp.config import Budgets
from webapp.rendering.citations.sources import Cited, Source, list_sources
from webapp.rendering.markdown import MarkdownBudget, ShowImage, TextView, render_markdown
from webapp.rendering.markdown.think_tags import fold_reasoning, split_reasoning
from webapp.rendering.structured.detect import Structure, StructureBudget, detect_structure
from webapp.rendering.structured.json_tree import render_json_tree
from webapp.rendering.text.exact import indent_json, render_exact
from webapp.rendering.text.folding import Fold, estimate_fold, expand_lines
from webapp.rendering.text.invisible import Hidden, find_hidden, reveal_invisible
from webapp.rendering.text.slices import Slice, cut_slice, find_previous_start, is_too_long
from webapp.rendering.tools.arguments import Arguments, is_short, parse_arguments
from webapp.rendering.tools.definitions import Definition, Definitions
from webapp.rendering.tools.summaries import summarize_setting
from webapp.rendering.tools.tool_names import render_tool_name
from webapp.rendering.urls import RemoteImage, get_host, is_allowed_link

__all__ = [
    "Arguments",
    "Budgets",
    "Cited",
    "Definition",
    "Definitions",
    "Fold",
    "Hidden",
    "MarkdownBudget",
    "Slice",
    "Source",
    "RemoteImage",
    "ShowImage",
    "Structure",
    "StructureBudget",
    "TextView",
    "parse_arguments",
    "list_sources",
    "render_exact",
    "is_too_long",
    "estimate_fold",
    "fold_reasoning",
    "get_host",
    "find_hidden",
    "is_allowed_link",
    "is_short",
    "expand_lines",
    "split_reasoning",
    "render_markdown",
    "reveal_invisible",
    "cut_slice",
    "indent_json",
    "find_previous_start",
    "detect_structure",
    "summarize_setting",
    "render_tool_name",
    "render_json_tree",
]
