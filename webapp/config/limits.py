"""The bounds of rendering, of upstream requests and of create requests, each a setting.

Times are in seconds, sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webapp.config import parsers
from webapp.config.settings import setting

MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectLimits:
    """The bound on making a connection to another server."""

    connect_timeout: float = setting(
        "READBACK_CONNECT_TIMEOUT",
        parsers.seconds,
        default=5.0,
        help="Seconds to wait for a connection to another server.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(ConnectLimits):
    """The bounds of one upstream request, with its retries.

    The default of `max_bytes` leaves room for a page of messages with images in base64.
    """

    read_timeout: float = setting(
        "READBACK_READ_TIMEOUT",
        parsers.seconds,
        default=10.0,
        help="Seconds to wait for the next bytes of an upstream answer.",
    )
    page_timeout: float = setting(
        "READBACK_PAGE_TIMEOUT",
        parsers.seconds,
        default=20.0,
        help="Seconds a page may take in all, with its retries.",
    )
    max_retries: int = setting(
        "READBACK_MAX_RETRIES",
        parsers.whole(0, 10),
        default=2,
        help="How often a failed upstream request is tried again.",
    )
    max_bytes: int = setting(
        "READBACK_MAX_BYTES",
        parsers.whole(1024, 1024 * MEBIBYTE),
        default=64 * MEBIBYTE,
        help="The largest upstream answer that is read, in bytes after decompression.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLimits(ConnectLimits):
    """The bounds of one create request.

    `read_timeout` bounds each wait for the next bytes: a model may think for minutes before the
    first one. An answer over `max_stored_bytes` is passed on whole, but not stored whole.
    """

    read_timeout: float = setting(
        "READBACK_MODEL_TIMEOUT",
        parsers.seconds,
        default=600.0,
        help="Seconds to wait for the next bytes of the model server.",
    )
    create_timeout: float = setting(
        "READBACK_CREATE_TIMEOUT",
        parsers.seconds,
        default=1800.0,
        help="Seconds a create request may take in all, with its upload and its answer.",
    )
    max_request_bytes: int = setting(
        "READBACK_MAX_REQUEST_BYTES",
        parsers.whole(1024, 1024 * MEBIBYTE),
        default=64 * MEBIBYTE,
        help="The largest request to create a completion, in bytes, images and sounds included.",
    )
    max_stored_bytes: int = 32 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The bounds of rendering; sizes are in bytes of UTF-8.

    A budget acts on the part it concerns, never on the whole page: the page shows that part in
    a simpler way, says so, and links to its source.
    """

    text_bytes: int = setting(
        "READBACK_MAX_TEXT_BYTES",
        parsers.whole(1_000, 100 * MEBIBYTE),
        default=200_000,
        help="Bytes of one text that a page shows at once; a link leads to the rest.",
    )
    brackets: int = setting(
        "READBACK_MAX_BRACKETS",
        parsers.whole(0, 1_000_000),
        default=4_000,
        help="Brackets, stars, underscores, tildes and backticks in one text; a text with more "
        "is shown without Markdown.",
    )
    page_brackets: int = setting(
        "READBACK_MAX_PAGE_BRACKETS",
        parsers.whole(0, 100_000_000),
        default=40_000,
        help="The same for all texts of one page.",
    )
    levels: int = setting(
        "READBACK_MAX_LEVELS",
        parsers.whole(2, 1_000),
        default=100,
        help="Nesting of Markdown blocks (a list counts as two); a text with deeper nesting is "
        "shown without Markdown.",
    )
    code_bytes: int = setting(
        "READBACK_MAX_CODE_BYTES",
        parsers.whole(0, 10 * MEBIBYTE),
        default=50_000,
        help="Bytes of one code block; a larger one is shown without syntax colours.",
    )
    formulas: int = setting(
        "READBACK_MAX_FORMULAS",
        parsers.whole(0, 100_000),
        default=500,
        help="Formulas that are typeset on one page; the others are shown as written.",
    )
    parts: int = setting(
        "READBACK_MAX_PARTS",
        parsers.whole(1, 100_000),
        default=200,
        help="Content parts and tool calls of one message that a page shows at once.",
    )
    values: int = setting(
        "READBACK_MAX_VALUES",
        parsers.whole(0, 1_000_000),
        default=2_000,
        help="Values of one JSON text that are shown as a tree; the rest follows as text.",
    )
    tree_levels: int = setting(
        "READBACK_MAX_TREE_LEVELS",
        parsers.whole(1, 60),
        default=20,
        help="Levels of a JSON tree; deeper values are shown as text.",
    )
    rows: int = setting(
        "READBACK_MAX_ROWS",
        parsers.whole(1, 100_000),
        default=500,
        help="Rows of one CSV text, and hits of one search, that are shown; the source has all "
        "of them.",
    )
    seconds: float = setting(
        "READBACK_RENDER_TIMEOUT",
        parsers.seconds,
        default=1.0,
        help="Seconds one page may spend on rendering texts; the rest is shown unrendered.",
    )
