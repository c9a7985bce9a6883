"""Everything that rendering a page of a transcript depends on, and a bound on its cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TypeVar

from flask import request

from webapp import rendering
from webapp.analysis import Run
from webapp.reading import MAX_LIMIT, TranscriptPage
from webapp.rendering import Budgets, Definitions, MarkdownBudget, RemoteImage, StructureBudget
from webapp.services import services
from webapp.templating.density import View, choose_view
from webapp.templating.remote_images import RemoteFrames, wants_remote_images

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class RenderContext:
    """Everything that rendering a message of `section` depends on besides the message.

    `target` is the id of the message that the page was requested for. The budgets belong to
    this section; `frames` is shared by all sections of a web page. `run` is what happened in
    the transcript, `only` the filter of what is shown of it.
    """

    section: TranscriptPage
    budgets: Budgets
    own_host: str
    loads_images: bool = False
    target: str | None = None
    view: View = "full"
    run: Run | None = None
    only: str | None = None
    frames: RemoteFrames = field(default_factory=RemoteFrames)
    markdown_budget: MarkdownBudget = field(init=False)
    structure_budget: StructureBudget = field(init=False)
    definitions: Definitions = field(init=False)
    call_numbers: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        pages = max(1, ceil(len(self.section.entries) / MAX_LIMIT))
        self.markdown_budget = MarkdownBudget(self.budgets, pages=pages)
        self.structure_budget = StructureBudget(self.budgets, pages)
        self.definitions = Definitions(self.section.completion, budgets=self.budgets)
        is_counted = self.run is not None and self.run.begins_at_start
        calls = self.run.calls if self.run and is_counted else ()
        self.call_numbers = {call.anchor: call.number for call in calls}

    @classmethod
    def for_request(
        cls,
        section: TranscriptPage,
        *,
        target: str | None = None,
        run: Run | None = None,
        only: str | None = None,
    ) -> RenderContext:
        """Create the context of the first or only section of the page that is requested now."""
        return cls(
            section=section,
            budgets=services().budgets,
            own_host=request.host,
            loads_images=wants_remote_images(),
            target=target,
            view=choose_view(section),
            run=run,
            only=only,
        )

    def continue_with(self, section: TranscriptPage) -> RenderContext:
        """Create the context of a further section of the same web page, with fresh budgets."""
        return replace(self, section=section)

    @property
    def is_compact(self) -> bool:
        """Whether calls are rows, and only user and assistant are read at length."""
        return self.view != "full"

    @property
    def failing(self) -> frozenset[str]:
        """The anchors of the messages of the run that are failures."""
        return (
            frozenset(message.anchor for message in self.run.failures) if self.run else frozenset()
        )

    @property
    def place(self) -> str:
        """The place of the message that the page was requested for: `message 137 of 254`."""
        if self.target is None:
            return ""
        entries = self.section.entries
        number = next((one.number for one in entries if one.message.id == self.target), None)
        total = self.section.total
        if total is None and self.run is not None and self.run.is_whole:
            total = sum(one.number is not None for one in self.run.messages)
        if number is None:
            return ""
        return f"message {number:,}" + (f" of {total:,}" if total is not None else "")

    def describe_call_number(self, anchor: str) -> str | None:
        """Return `call 57 of 140`, without the total if only a part of the run was read.

        None if the call is beyond that part.
        """
        number = self.call_numbers.get(anchor)
        if number is None or self.run is None:
            return None
        total = f" of {len(self.run.calls):,}" if self.run.is_whole else ""
        return f"call {number:,}{total}"

    def within_budget(self, items: Sequence[T]) -> Sequence[T]:
        """Return as many of `items` as one page shows at once."""
        return items[: self.budgets.parts]

    def is_allowed_link(self, url: str) -> bool:
        return rendering.is_allowed_link(url, own_host=self.own_host)

    def find_remote_image(self, url: str) -> RemoteImage | None:
        """Return `url` as an image that can be loaded on request; None when it cannot."""
        return RemoteImage.parse(url, own_host=self.own_host)

    def take_frame(self) -> bool:
        """Return whether the page loads one more remote image at once; count it if so."""
        return self.loads_images and self.frames.take()
