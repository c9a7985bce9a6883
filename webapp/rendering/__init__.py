"""Values to Markup: the only place of the program where `Markup` is made.

    markdown    text as Markdown, in budgets, cleaned twice
    links       which addresses a link may have
    citations   url citations: where their marks go in a text
    exact       JSON as it was written, indented
    words       numbers, sizes and times for people

Everything that comes in is untrusted; everything that goes out is safe to put into a page.
"""

from webapp.rendering.budgets import Budgets
from webapp.rendering.exact import exact_text, flat_members, indented_or_none, source_of
from webapp.rendering.links import foreign_host, is_allowed_link
from webapp.rendering.markdown import PageBudget, TextView, markdown
from webapp.rendering.words import FILTERS as WORD_FILTERS

__all__ = [
    "WORD_FILTERS",
    "Budgets",
    "PageBudget",
    "TextView",
    "exact_text",
    "flat_members",
    "foreign_host",
    "indented_or_none",
    "is_allowed_link",
    "markdown",
    "source_of",
]
