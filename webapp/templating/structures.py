"""Texts that are JSON, XML, tables or terminal output, and the tools that calls name."""

from __future__ import annotations

from flask import g
from jinja2 import pass_context
from jinja2.runtime import Context

from webapp import rendering
from webapp.exact_json import Value
from webapp.messages import Message, ToolCall
from webapp.reading import TranscriptPage
from webapp.rendering import Arguments, Definition, Definitions, Structure, StructureBudget
from webapp.services import services
from webapp.transcript import CallEntry


@pass_context
def structure(context: Context, text: str, message: Message) -> Structure:
    budget = _structures_of(context["section"])
    return rendering.detect_structure(text, message=message, budget=budget)


def tree(value: Value) -> str:
    return rendering.render_json_tree(value, budgets=services().budgets)


@pass_context
def arguments(context: Context, call: ToolCall) -> Arguments:
    return rendering.parse_arguments(call, budget=_structures_of(context["section"]))


@pass_context
def definition(context: Context, call: ToolCall) -> Definition | None:
    """The tool that `call` names, looked for once a section."""
    section: TranscriptPage = context["section"]
    known: dict[str | None, Definitions] = g.setdefault("definitions", {})
    if section.request.after not in known:
        budgets = services().budgets
        known[section.request.after] = Definitions(section.completion, budgets=budgets)
    return known[section.request.after].of(call)


def is_short(entry: CallEntry, arguments: Arguments) -> bool:
    results = [result.message for result in entry.nested]
    return isinstance(entry.call, ToolCall) and rendering.is_short(entry.call, arguments, results)


def _structures_of(section: TranscriptPage) -> StructureBudget:
    budgets: dict[str | None, StructureBudget] = g.setdefault("structure_budgets", {})
    return budgets.setdefault(section.request.after, StructureBudget(services().budgets))
