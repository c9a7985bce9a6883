"""Everything that rendering a page of a transcript depends on, and a bound on its cost.

The view is the one that the reader chose, or the one for the length of the transcript; images of
other servers are offered or loaded as the reader asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from math import ceil
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from flask import Response, abort, after_this_request, request

from webapp import rendering
from webapp.analysis import Run, RunCall
from webapp.messages import Image, Text
from webapp.reading import MAX_LIMIT, TranscriptPage
from webapp.rendering import Budgets, Definitions, MarkdownBudget, RemoteImage, StructureBudget
from webapp.services import services
from webapp.templating.finding.conversations import ConversationPlace
from webapp.templating.notes import PageNotes, may_note
from webapp.transcript import Entry

T = TypeVar("T")

MAX_FRAMES: Final = 50
"""Frames of one page; images beyond are loaded one by one."""

View: TypeAlias = Literal["outline", "compact", "full"]

VIEWS: Final[tuple[View, ...]] = ("outline", "compact", "full")
"""The views, the shortest first."""

COMPACT_FROM: Final = 40
"""Messages from which a transcript is compact if the reader chose nothing."""

_REMOTE_ADDRESS: Final = re.compile(r"\]\(<?http|\]: http")
"""The beginning of an image's address in Markdown, which may be in a link definition."""

VIEW_COOKIE: Final = "readback_view"
_YEAR: Final = 31_536_000


@dataclass(slots=True)
class RemoteFrames:
    """The frames of remote images that a web page may still load at once."""

    left: int = MAX_FRAMES

    def take(self) -> bool:
        """Take one frame; return False when none is left."""
        if self.left == 0:
            return False
        self.left -= 1
        return True


class Spent(NamedTuple):
    """How much of the budgets of a page was spent, apart from time."""

    brackets: int = 0
    formulas: int = 0
    structure_bytes: int = 0

    def since(self, before: Spent) -> Spent:
        """Subtract the amounts spent `before`."""
        return Spent(
            self.brackets - before.brackets,
            self.formulas - before.formulas,
            self.structure_bytes - before.structure_bytes,
        )


NOTHING_SPENT: Final = Spent()


@dataclass(slots=True, kw_only=True)
class RenderContext:
    """Everything that rendering a message of `page`, a page of a transcript, depends on besides it.

    `target` is the id of the message that the page was requested for, the first of `target_count`
    in a row; `target_number` is its number, if it is on the page and has one. The budgets are those
    of `page`; `frames` is shared by all of a web page. `run` has the calls and failures of the
    transcript, `faults` is the number of its errors and warnings, `only` is the filter of the page,
    `conversation` the place of the transcript among requests that continue each other, `notes` are
    those on the transcript, which no bubble depends on. If a page shows a message `is_alone`, the
    items of its menus are beside what they are for.
    """

    page: TranscriptPage
    budgets: Budgets
    own_host: str
    loads_images: bool = False
    target: str | None = None
    target_count: int = 1
    view: View = "full"
    run: Run | None = None
    faults: int | None = None
    only: str | None = None
    conversation: ConversationPlace | None = None
    notes: PageNotes | None = None
    is_alone: bool = False
    frames: RemoteFrames = field(default_factory=RemoteFrames)
    markdown_budget: MarkdownBudget = field(init=False)
    structure_budget: StructureBudget = field(init=False)
    definitions: Definitions = field(init=False)
    run_calls: dict[str, RunCall] = field(init=False)
    targets: frozenset[str] = field(init=False)
    target_number: int | None = field(init=False)
    failing: frozenset[str] = field(init=False)
    _digest: bytes | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        pages = max(1, ceil(len(self.page.entries) / MAX_LIMIT))
        self.markdown_budget = MarkdownBudget(self.budgets, pages=pages)
        self.structure_budget = StructureBudget(self.budgets, pages)
        self.definitions = Definitions(self.page.completion, budgets=self.budgets)
        ids = [entry.message.id for entry in self.page.entries]
        named: Sequence[Entry] = ()
        if self.target is not None and self.target in ids:
            start = ids.index(self.target)
            named = self.page.entries[start : start + self.target_count]
        self.target_number = named[0].number if named else None
        self.targets = frozenset(one.message.id for one in named if one.message.id is not None)
        self.failing = (
            frozenset(one.anchor for one in self.run.failures) if self.run else frozenset()
        )
        self.run_calls = {call.anchor: call for call in self.run.calls} if self.run else {}

    @classmethod
    def for_request(cls, page: TranscriptPage) -> RenderContext:
        """Create the context of the first or only page of messages on the web page asked for."""
        return cls(
            page=page,
            budgets=services().budgets,
            own_host=request.host,
            loads_images=wants_remote_images(),
            view=choose_view(page),
        )

    def continue_with(self, page: TranscriptPage) -> RenderContext:
        """Create the context of further messages on the same web page, with fresh budgets."""
        return replace(self, page=page)

    @property
    def is_compact(self) -> bool:
        """Whether calls are rows, and only user and assistant are read at length."""
        return self.view != "full"

    @property
    def digest(self) -> bytes:
        """The digest of what all bubbles of the page depend on, besides the filters of a list."""
        if self._digest is None:
            completion = self.page.completion
            source = completion.json.digest().hex() if completion is not None else ""
            source = f"{self.page.completion_id}\n{self.own_host}\n{source}\n{request.script_root}"
            source += f"\n{self.is_compact} {may_note()}"
            self._digest = blake2b(source.encode("utf-8", "surrogatepass"), digest_size=20).digest()
        return self._digest

    @property
    def spent(self) -> Spent:
        """How much the page has spent of its budgets, apart from time."""
        brackets, formulas = self.markdown_budget.spent
        return Spent(brackets, formulas, self.structure_budget.spent)

    def can_spend(self, more: Spent = NOTHING_SPENT) -> bool:
        """Return whether nothing was refused, and half of each budget would be left with `more`."""
        return self.markdown_budget.can_spend(
            more.brackets, more.formulas
        ) and self.structure_budget.can_spend(more.structure_bytes)

    def spend(self, more: Spent) -> None:
        """Take `more` off the budgets, for a bubble that was rendered before."""
        self.markdown_budget.spend(more.brackets, more.formulas)
        self.structure_budget.spend(more.structure_bytes)

    def has_failure(self, entry: Entry) -> bool:
        """Return whether a message, or a result of its calls, is a failure of the run."""
        results = (result.anchor for call in entry.calls for result in call.results)
        return not self.failing.isdisjoint((entry.anchor, *results))

    @property
    def total(self) -> int | None:
        """The number of messages, if the page or the run knows it."""
        if self.page.total is None and self.run is not None and self.run.is_whole:
            return sum(one.number is not None for one in self.run.messages)
        return self.page.total

    @property
    def place(self) -> str:
        """The place that the page was requested for: `message 137 of 254`, or a range."""
        number, total = self.target_number, self.total
        if number is None:
            return ""
        of = f" of {total:,}" if total is not None else ""
        if self.target_count > 1:
            return f"messages {number:,} to {number + self.target_count - 1:,}{of}"
        return f"message {number:,}{of}"

    @property
    def span(self) -> str | None:
        """The range that the page was requested for, as `9-15`."""
        number = self.target_number
        if self.target_count < 2 or number is None:
            return None
        return f"{number}-{number + self.target_count - 1}"

    def describe_call_number(self, anchor: str) -> str | None:
        """Write `call 57 of 140`, without the total if only a part of the run was read.

        None if the call is beyond that part.
        """
        call = self.run_calls.get(anchor)
        if call is None or call.number is None:
            return None
        if self.run is None or not self.run.begins_at_start:
            return None
        total = f" of {len(self.run.calls):,}" if self.run.is_whole else ""
        return f"call {call.number:,}{total}"

    def within_budget(self, items: Sequence[T]) -> Sequence[T]:
        """Cut `items` to as many as one page shows at once."""
        return items[: self.budgets.parts]

    def is_allowed_link(self, url: str) -> bool:
        return rendering.is_allowed_link(url, own_host=self.own_host)

    def find_remote_image(self, url: str) -> RemoteImage | None:
        """Parse `url` as an image that can be loaded on request; None when it cannot.

        A reader of a share loads none: whoever wrote the transcript would learn of the reader.
        """
        if services().share is not None:
            return None
        return RemoteImage.parse(url, own_host=self.own_host)

    def take_frame(self) -> bool:
        """Take the frame of one more remote image, and return whether the page loads it at once."""
        return self.loads_images and self.frames.take()


def wants_remote_images() -> bool:
    """Return whether the reader asked for all remote images of this page.

    A link on somebody else's page does not count: whoever follows it has not chosen this.
    """
    return request.args.get("images") == "load" and not is_from_elsewhere()


def is_from_elsewhere() -> bool:
    """Return whether another site made the browser send this request."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("same-origin", "none")


def has_remote_images(page: TranscriptPage, *, own_host: str) -> bool:
    """Return whether messages of `page` may show images of other servers.

    A text about Markdown may pass for one with an image.
    """
    if services().share is not None:
        return False
    for entry in (*page.entries, *page.outputs):
        for part in entry.message.parts:
            if isinstance(part, Image) and not part.is_inline:
                if RemoteImage.parse(part.url, own_host=own_host):
                    return True
            elif (
                isinstance(part, Text)
                and not entry.message.is_tool_result
                and "![" in part.text
                and _REMOTE_ADDRESS.search(part.text)
            ):
                return True
    return False


def choose_view(page: TranscriptPage) -> View:
    """Choose the view that the request asks for, or was chosen before, or suits the length.

    `view` is remembered in a cookie; `like` is the view of the page that this one continues.
    Answers 400 if `view` is not a view.
    """
    chosen = _parse_view(request.args.get("view"))
    if chosen:

        @after_this_request
        def remember(response: Response) -> Response:
            response.vary.add("Cookie")
            response.set_cookie(
                VIEW_COOKIE,
                chosen,
                max_age=_YEAR,
                path=request.script_root or "/",
                secure=request.is_secure,
                httponly=True,
                samesite="Lax",
            )
            return response

        return chosen
    if request.args.get("view"):
        abort(400, "The parameter view takes outline, compact or full.")
    known = _parse_view(request.args.get("like")) or _parse_view(request.cookies.get(VIEW_COOKIE))
    if known:
        return known
    numbers = [entry.number or 0 for entry in page.entries]
    at_least = max(page.total or 0, page.seen or 0, len(page.entries), *numbers, 0)
    return "compact" if at_least >= COMPACT_FROM else "full"


def wants_outline() -> bool:
    """Return whether the request asks for the outline, or it was chosen before."""
    asked = (request.args.get("view"), request.args.get("like"), request.cookies.get(VIEW_COOKIE))
    return next(filter(None, map(_parse_view, asked)), None) == "outline"


def keep_view(view: View, page: TranscriptPage) -> View | None:
    """Choose `like` for links to further pages; None if they find the view themselves."""
    is_known = page.total is not None
    return None if is_known and not {"view", "like"} & request.args.keys() else view


def _parse_view(text: str | None) -> View | None:
    return text if text in VIEWS else None
