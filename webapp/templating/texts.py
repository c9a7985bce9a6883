"""Texts of the bubble that is shown: as Markdown, with their sources, and how they fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from flask import current_app, g, request
from jinja2 import pass_context
from jinja2.runtime import Context

from webapp import rendering
from webapp.messages import Annotation, Message, ToolCall
from webapp.reading import TranscriptPage
from webapp.rendering import Cited, Fold, PageBudget, ShowImage, Structure, TextView
from webapp.services import services
from webapp.transcript import Entry

T = TypeVar("T")


@pass_context
def markdown(
    context: Context, text: str, annotations: Sequence[Annotation] = (), anchor: str = ""
) -> TextView:
    message: Message | None = context.get("message")
    thought = rendering.split_reasoning(text) if message and message.role == "assistant" else None
    if thought and not annotations:
        reasoning, answer = (_view(context, part) for part in (thought.text, thought.answer))
        return rendering.fold_reasoning(thought, reasoning, answer)
    view = _view(context, text, within_budget(annotations), anchor)
    if annotations and message:
        g.cited = (message, view.sources)
    return view


def _view(
    context: Context, text: str, annotations: Sequence[Annotation] = (), anchor: str = ""
) -> TextView:
    return rendering.render_markdown(
        text,
        annotations=annotations,
        anchor=anchor,
        own_host=request.host,
        budget=_budget_of(context["section"]),
        image=_image_shown(context["section"], context["entry"]),
    )


def _image_shown(section: TranscriptPage, entry: Entry) -> ShowImage:
    """What an image in the text of `entry` is shown as: a picture of ours, or a link to load it."""
    template = current_app.jinja_env.get_template("parts/_markdown_image.html")
    names = {"section": section, "entry": entry}
    return lambda url, alt: template.make_module(names | {"url": url, "alt": alt}).__html__()


def cited(entry: Entry) -> Cited:
    """The sources of a message as its text has just shown them."""
    shown, sources = g.get("cited") or (None, None)
    placed = sources if shown is entry.message else None
    return rendering.list_sources(entry.message, placed, limit=services().budgets.parts)


def within_budget(items: Sequence[T]) -> Sequence[T]:
    """As many of `items` as stand on a page at once."""
    return items[: services().budgets.parts]


@pass_context
def fold(context: Context, text: str, structure: Structure | None = None) -> Fold | None:
    """The fold of a text in the bubble that is shown; the last answer has none."""
    message: Message = context["message"]
    if context["entry"].choice is not None or context["section"].ends_with(context["entry"]):
        return None
    if structure and structure.kind == "json":
        text = rendering.expand_lines(text)
    mono = message.is_tool_result or (structure is not None and structure.kind != "plain")
    is_open = _is_target(context, message)
    return rendering.estimate_fold(text, role=message.role, mono=mono, is_open=is_open)


@pass_context
def fold_arguments(context: Context, call: ToolCall) -> Fold | None:
    """The fold of a call's arguments."""
    if context["entry"].choice is not None:
        return None
    is_open = _is_target(context, context["message"])
    text = rendering.expand_lines(call.arguments or "")
    return rendering.estimate_fold(text, role="tool", mono=True, is_open=is_open)


def _is_target(context: Context, message: Message) -> bool:
    """Whether the page was asked for because of this message."""
    return message.id is not None and context.get("target") == message.id


def _budget_of(section: TranscriptPage) -> PageBudget:
    """One a section: a transcript streamed as a whole has one for each of its pages."""
    budgets: dict[str | None, PageBudget] = g.setdefault("markdown_budgets", {})
    return budgets.setdefault(section.request.after, PageBudget(services().budgets))
