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

from webapp.rendering.budgets import Budgets
from webapp.rendering.citations.sources import Cited, Source, cited
from webapp.rendering.markdown import PageBudget, ShowImage, TextView, markdown
from webapp.rendering.markdown.think_tags import folded, leading_thought
from webapp.rendering.remote import RemoteImage
from webapp.rendering.structured.detect import Structure, StructureBudget, structure
from webapp.rendering.structured.json_tree import tree
from webapp.rendering.text.exact import exact_text, source_of
from webapp.rendering.text.folding import Fold, expand_lines, fold_of
from webapp.rendering.text.invisible import Hidden, hidden_in, marked
from webapp.rendering.text.slices import Slice, exceeds, slice_of, start_before
from webapp.rendering.tools.arguments import Arguments, arguments_of, is_short
from webapp.rendering.tools.definitions import Definition, Definitions
from webapp.rendering.tools.summaries import told
from webapp.rendering.tools.tool_names import tool_name
from webapp.rendering.urls import foreign_host, is_allowed_link

__all__ = [
    "Arguments",
    "Budgets",
    "Cited",
    "Definition",
    "Definitions",
    "Fold",
    "Hidden",
    "PageBudget",
    "Slice",
    "Source",
    "RemoteImage",
    "ShowImage",
    "Structure",
    "StructureBudget",
    "TextView",
    "arguments_of",
    "cited",
    "exact_text",
    "exceeds",
    "fold_of",
    "folded",
    "foreign_host",
    "hidden_in",
    "is_allowed_link",
    "is_short",
    "expand_lines",
    "leading_thought",
    "markdown",
    "marked",
    "slice_of",
    "source_of",
    "start_before",
    "structure",
    "told",
    "tool_name",
    "tree",
]
