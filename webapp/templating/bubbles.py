"""Messages as bubbles: each part, text and call of a message as a context shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from flask import current_app

from webapp import exact_json, media, rendering
from webapp.analysis import Failure, find_call_failure
from webapp.media import InlineMedia
from webapp.messages import (
    Annotation,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    find_repeated,
    split_reasoning,
)
from webapp.messages.message import Piece, get_text
from webapp.reading.building import Pieces
from webapp.rendering import (
    Arguments,
    Cited,
    Fold,
    Paragraph,
    Slice,
    Source,
    Structure,
    TextView,
)
from webapp.templating.bubble_cache import BubbleCache
from webapp.templating.context import RenderContext
from webapp.transcript import CallEntry, Entry

BUBBLES: Final = "readback.bubbles"
"""The extension of an application with the bubbles that it keeps."""
_MAX_WITH_WORDS: Final = 3
"""Calls of a message that its line in the outline shows with their arguments."""


@dataclass(frozen=True, slots=True)
class LongText:
    """A slice of a text that is too long for a page; `view` is None for text without Markdown."""

    piece: Piece
    slice: Slice
    view: TextView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """A content part, ready to be shown.

    A text has one of three: `long` if it is too long for a page, `structure` if it is shown as
    written, else `markdown`. `images` are data in the text and are shown below it. A part of
    a result that is shown under its call has none of them, but `moved`.
    """

    part: Part
    long: LongText | None = None
    structure: Structure | None = None
    markdown: TextView | None = None
    fold: Fold | None = None
    images: tuple[InlineMedia, ...] = ()
    moved: Entry | None = None

    @property
    def paragraph(self) -> Paragraph | None:
        """A text that is shown as one paragraph, as it is written."""
        part, view = self.part, self.markdown
        if view is None or not isinstance(part, Text | Refusal | Reasoning):
            return None
        return view.find_paragraph(part.text)

    @property
    def is_source(self) -> bool:
        """Whether a text with a structure is shown as it is written, in other colours."""
        view = self.structure.view if self.structure else ""
        if not isinstance(self.part, Text) or not view.startswith("<pre") or view.count("<pre") > 1:
            return False
        html = view.partition(">")[2].removeprefix("\n")
        return html.endswith("</pre>") and rendering.is_exact(html, self.part.text)


CallState: TypeAlias = Literal["ok", "error", "no result", "result not loaded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """A tool call, ready to be shown; `is_short` if two such calls fit side by side.

    `format` describes the input of a custom tool. As one line it shows `in_a_line`, the `state` of
    its result and `result_size`, and is open if the page was requested for the sake of its message
    or result.
    """

    arguments: Arguments
    format: str | None
    long: LongText | None
    fold: Fold | None
    is_short: bool
    in_a_line: str
    state: CallState
    failure: Failure | None
    result_size: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class PiecesView:
    """Some content parts and calls of a message, ready to be shown."""

    pieces: Pieces
    parts: tuple[PartView, ...]


def render_bubble(entry: Entry, context: RenderContext) -> str:
    """Render a message as HTML; it depends on nothing but `entry`, `context` and the request."""

    def render() -> str:
        macros: Any = current_app.jinja_env.get_template("messages/_bubble.html").module
        html: str = macros.bubble(entry, context)
        return html

    cache: BubbleCache = current_app.extensions[BUBBLES]
    return cache.get_or_render(entry, context, render)


def view_pieces(entry: Entry, context: RenderContext, start: int = 0) -> PiecesView:
    """Prepare as many parts and calls of a message, from `start` on, as one page shows."""
    pieces = Pieces.of(entry, start=start, limit=context.budgets.parts)
    elsewhere = {
        id(part): piece for piece in entry.pieces if piece.nested for part in piece.message.parts
    }
    parts: list[PartView] = []
    for part in pieces.parts:
        moved = elsewhere.get(id(part))
        if moved is None:
            parts.append(_view_part(part, entry, context))
        elif part is moved.message.parts[0]:
            parts.append(PartView(part=part, moved=moved))
    return PiecesView(pieces, tuple(parts))


def _view_part(part: Part, entry: Entry, context: RenderContext) -> PartView:
    message = entry.message
    if isinstance(part, Refusal | Reasoning):
        long = find_long_text(part, entry, context)
        view = None if long else _render_markdown(part.text, entry, context)
        fold = _fold_text(part.text, entry, context) if isinstance(part, Refusal) else None
        images = media.find_unshown_images(part.text, view.html if view else "")
        return PartView(part=part, long=long, markdown=view, fold=fold, images=images)
    if not isinstance(part, Text):
        return PartView(part=part)
    if not part.text:
        return PartView(part=part, structure=Structure(note=rendering.describe_blank("")))
    if long := find_long_text(part, entry, context):
        fold = _fold_text(part.text, entry, context)
        images = media.find_unshown_images(part.text)
        return PartView(part=part, long=long, fold=fold, images=images)
    structure = rendering.detect_structure(
        part.text, message=message, budget=context.structure_budget
    )
    if entry.answers and isinstance(entry.answers.call, ToolCall):
        structure = rendering.shape_result(
            part.text, structure, entry.answers.call, budget=context.structure_budget
        )
    fold = _fold_text(part.text, entry, context, structure)
    if message.is_tool_result or structure.kind != "plain":
        images = media.find_unshown_images(part.text)
        return PartView(part=part, structure=structure, fold=fold, images=images)
    # Citations do not say which of several texts they belong to.
    annotations = message.annotations if message.text_count == 1 else ()
    view = _render_markdown(part.text, entry, context, annotations=annotations)
    images = media.find_unshown_images(part.text, view.html)
    return PartView(part=part, markdown=view, fold=fold, images=images)


def view_call(call: CallEntry, context: RenderContext) -> CallView | None:
    """Prepare a tool call; return None if Readback does not know its form."""
    tool_call = call.call
    if not isinstance(tool_call, ToolCall):
        return None
    arguments = view_arguments(tool_call, context)
    fold = None
    if call.caller.choice is None:
        text = rendering.expand_lines(tool_call.arguments or "")
        is_open = _is_target(call.caller, context)
        fold = rendering.estimate_fold(
            text, role="tool", mono=True, is_open=is_open, is_compact=context.is_compact
        )
    results = [result.message for result in call.results]
    texts = [result.plain_text for result in results]
    failure = find_call_failure(call)
    state: CallState = "result not loaded" if call.may_follow else "no result"
    if failure:
        state = "error"
    elif results:
        state = "ok"
    return CallView(
        arguments=arguments,
        format=context.definitions.find_format(tool_call),
        long=find_long_text(tool_call, call.caller, context),
        fold=fold,
        is_short=rendering.is_short(tool_call, arguments, results),
        in_a_line=rendering.summarize_arguments(tool_call.arguments or "", arguments),
        state=state,
        failure=failure,
        result_size=sum(len(text.encode("utf-8", "surrogatepass")) for text in texts),
        is_open=any(_is_target(entry, context) for entry in (call.caller, *call.results)),
    )


def view_arguments(call: ToolCall, context: RenderContext) -> Arguments:
    """Prepare the arguments of a call."""
    return rendering.parse_arguments(call, budget=context.structure_budget)


def list_calls(entry: Entry, context: RenderContext) -> str:
    """List the calls of a message in a line.

    A few have the first words of their arguments; of many, the tools are counted.
    """
    known = [context.run_calls.get(call.anchor) for call in entry.calls]
    if len(known) <= _MAX_WITH_WORDS and all(known):
        return ", ".join(f"{call.tool} {call.words}".rstrip() for call in known if call)
    names = Counter(getattr(call.call, "name", None) or "tool" for call in entry.calls)
    return ", ".join(name if times == 1 else f"{name} ×{times}" for name, times in names.items())


def list_cited(view: PiecesView, entry: Entry, context: RenderContext) -> Cited:
    """List the sources of a message, with their places in its text as `view` shows it."""
    shown = (part.markdown.sources for part in view.parts if part.markdown)
    placed: tuple[Source, ...] | None = next((sources for sources in shown if sources), None)
    return rendering.list_sources(entry.message, placed, limit=context.budgets.parts)


def find_long_text(piece: Piece, entry: Entry, context: RenderContext) -> LongText | None:
    """Find the first slice of a text that is too long for a page; None if all of it fits."""
    text = get_text(piece)
    if text is None or not rendering.is_too_long(text, context.budgets.text_bytes):
        return None
    return slice_text(piece, entry, context)


def slice_text(
    piece: Piece, entry: Entry, context: RenderContext, *, start: int = 0
) -> LongText | None:
    """Cut the slice of `piece` from `start` on; None for media and past the end of a text."""
    text = get_text(piece)
    if text is None or start >= max(len(text), 1):
        return None
    part = rendering.cut_slice(text, start=start, limit=context.budgets.text_bytes)
    view = None
    if _is_prose(piece, entry.message):
        view = _render_markdown(part.markdown, entry, context)
    return LongText(piece, part, view)


def _is_prose(piece: Piece, message: Message) -> bool:
    """Return whether a text is read as Markdown: no results of tools, and no JSON."""
    if not isinstance(piece, Text):
        return isinstance(piece, Refusal | Reasoning)
    if message.is_tool_result:
        return False
    if piece.text.lstrip()[:1] not in ("{", "["):
        return True
    try:
        exact_json.parse(piece.text)
    except exact_json.NotJson:
        return True
    return False


def _render_markdown(
    text: str, entry: Entry, context: RenderContext, *, annotations: Sequence[Annotation] = ()
) -> TextView:
    """Render a text as Markdown, with its images as pictures of ours or as links that load them."""
    environment = current_app.jinja_env

    def show_image(url: str, alt: str) -> Any:
        media_macros: Any = environment.get_template("parts/_media.html").module
        return media_macros.markdown_image(url, alt, entry, context)

    def render(text: str, annotations: Sequence[Annotation] = ()) -> TextView:
        return rendering.render_markdown(
            text,
            annotations=annotations,
            anchor=entry.anchor,
            own_host=context.own_host,
            budget=context.markdown_budget,
            image=show_image,
        )

    annotations = context.within_budget(annotations)
    thought = split_reasoning(text) if entry.message.is_of_model else None
    if thought:
        is_shown = find_repeated(entry.message.parts) == thought
        return rendering.fold_reasoning(
            thought, render, text=text, annotations=annotations, is_shown=is_shown
        )
    return render(text, annotations)


def _fold_text(
    text: str, entry: Entry, context: RenderContext, structure: Structure | None = None
) -> Fold | None:
    """Estimate the fold of a text; answers and the last message of a transcript have none."""
    if entry.choice is not None or context.page.ends_with(entry):
        return None
    if structure and structure.kind == "json":
        text = rendering.expand_lines(text)
    message = entry.message
    mono = message.is_tool_result or (structure is not None and structure.kind != "plain")
    is_open = _is_target(entry, context)
    return rendering.estimate_fold(
        text, role=message.role, mono=mono, is_open=is_open, is_compact=context.is_compact
    )


def _is_target(entry: Entry, context: RenderContext) -> bool:
    """Return whether the page was requested for the sake of this message."""
    return entry.sent_as.id in context.targets
