"""Render untrusted values as `Markup` that is safe to put into a page; only here is it made.

markdown/    text as Markdown, within budgets, sanitized twice
citations/   the sources that a message cites, and their marks in its text
text/        invisible characters, folds, and slices of long texts
structured/  texts that are JSON, XML, a table or terminal output as a whole
tools/       names, arguments and definitions of tools; settings in short
urls         the addresses that links may have and remote images may be loaded from
"""

from webapp.config import Budgets
from webapp.rendering.citations.sources import Cited, Source, list_sources
from webapp.rendering.markdown import (
    MarkdownBudget,
    Paragraph,
    ShowImage,
    TextView,
    render_markdown,
)
from webapp.rendering.markdown.code import render_snippet
from webapp.rendering.markdown.isolation import stands_alone
from webapp.rendering.markdown.think_tags import fold_reasoning
from webapp.rendering.structured.ansi import render_excerpt
from webapp.rendering.structured.budget import StructureBudget
from webapp.rendering.structured.detect import Structure, detect_structure
from webapp.rendering.structured.json_tree import get_type, render_json_tree
from webapp.rendering.structured.lexemes import write_readable
from webapp.rendering.text.folding import Fold, estimate_fold, expand_lines
from webapp.rendering.text.invisible import (
    describe_blank,
    find_hidden,
    is_exact,
    render_exact,
    reveal_invisible,
)
from webapp.rendering.text.plain import link_addresses, render_lines
from webapp.rendering.text.slices import Slice, cut_slice, find_previous_start, is_too_long
from webapp.rendering.tools.calls import (
    Arguments,
    Definition,
    Definitions,
    is_short,
    parse_arguments,
    render_tool_name,
    summarize_arguments,
)
from webapp.rendering.tools.results import shape_result
from webapp.rendering.urls import RemoteImage, get_host, is_allowed_link

__all__ = [
    "Arguments",
    "Budgets",
    "Cited",
    "Definition",
    "Definitions",
    "Fold",
    "MarkdownBudget",
    "Paragraph",
    "RemoteImage",
    "ShowImage",
    "Slice",
    "Source",
    "Structure",
    "StructureBudget",
    "TextView",
    "cut_slice",
    "describe_blank",
    "detect_structure",
    "estimate_fold",
    "expand_lines",
    "find_hidden",
    "find_previous_start",
    "fold_reasoning",
    "get_host",
    "get_type",
    "is_allowed_link",
    "link_addresses",
    "is_exact",
    "is_short",
    "is_too_long",
    "list_sources",
    "parse_arguments",
    "render_exact",
    "render_excerpt",
    "render_json_tree",
    "render_lines",
    "render_markdown",
    "render_snippet",
    "render_tool_name",
    "reveal_invisible",
    "shape_result",
    "stands_alone",
    "summarize_arguments",
    "write_readable",
]
