"""The table of settings: one row each, with its name, parser, default and help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from webapp.config import parsers
from webapp.config.parsers import is_loopback_host

__all__ = ["SETTINGS", "Setting", "is_loopback_host"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the settings table."""

    name: str
    parse: Callable[[str], object]
    default: str
    help: str

    @property
    def attribute(self) -> str:
        return self.name.removeprefix("READBACK_").lower()


_MB: Final = 1024 * 1024

SETTINGS: Final = (
    Setting(
        "OPENAI_API_KEY",
        parsers.secret,
        "",
        "The key of the server to read from. Sent to it alone.",
    ),
    Setting(
        "OPENAI_BASE_URL",
        parsers.url,
        "https://api.openai.com/v1",
        "The server to read from, when it is another OpenAI-compatible one.",
    ),
    Setting("OPENAI_ORG_ID", parsers.secret, "", "Sent as `OpenAI-Organization`."),
    Setting("OPENAI_PROJECT_ID", parsers.secret, "", "Sent as `OpenAI-Project`."),
    Setting(
        "AZURE_OPENAI_ENDPOINT",
        parsers.url,
        "",
        "Azure OpenAI: the resource, such as https://RESOURCE.openai.azure.com.",
    ),
    Setting(
        "AZURE_OPENAI_API_KEY", parsers.secret, "", "Azure OpenAI: the key, sent as `api-key`."
    ),
    Setting(
        "OPENAI_API_VERSION",
        parsers.secret,
        "",
        "Azure OpenAI: set for the classic API; without it the v1 API is used.",
    ),
    Setting(
        "DATABASE_URL",
        parsers.database_url,
        "a SQLite file in the user's data folder",
        "Where the embedded server keeps its completions: SQLite, or `postgresql+psycopg://…`.",
    ),
    Setting(
        "READBACK_API_KEY",
        parsers.secret,
        "",
        "The key that clients of the embedded server must send. Without one it answers at /v1 "
        "only when HOST is loopback.",
    ),
    Setting(
        "READBACK_MODEL_URL",
        parsers.url,
        "",
        "An OpenAI-compatible server that creates completions for the embedded one, such as "
        "http://127.0.0.1:11434/v1.",
    ),
    Setting(
        "READBACK_MODEL_API_KEY", parsers.secret, "", "The key of that server. Sent to it alone."
    ),
    Setting(
        "READBACK_MODEL_FORWARDS_STORE",
        parsers.flag,
        "0",
        "1 forwards `store` and `metadata` to that server too: most have no store, and some "
        "refuse a request that asks for one.",
    ),
    Setting(
        "READBACK_MODEL_TIMEOUT",
        parsers.seconds,
        "600",
        "Seconds to wait for the next bytes of that server.",
    ),
    Setting(
        "READBACK_MAX_REQUEST_BYTES",
        parsers.whole(1024, 1024 * _MB),
        str(64 * _MB),
        "Bytes of a request to create a completion, images and sounds included.",
    ),
    Setting(
        "SECRET_KEY", parsers.secret, "made at start", "Signs what browsers are given to keep."
    ),
    Setting("HOST", parsers.host, "127.0.0.1", "The address to listen on."),
    Setting("PORT", parsers.whole(1, 65535), "8000", "The port to listen on."),
    Setting(
        "READBACK_OPEN",
        parsers.flag,
        "0",
        "1 allows a HOST other than loopback: everyone who reaches it can read everything.",
    ),
    Setting(
        "READBACK_ALLOWED_HOSTS",
        parsers.hosts,
        "",
        "Host names, separated by commas, that readers type; addresses and localhost always work.",
    ),
    Setting("READBACK_WORKERS", parsers.whole(1, 64), "2", "Server processes."),
    Setting(
        "READBACK_THREADS",
        parsers.whole(1, 512),
        "64",
        "Threads a process: how many readers can wait for the upstream at once.",
    ),
    Setting(
        "READBACK_CONNECT_TIMEOUT",
        parsers.seconds,
        "5",
        "Seconds to wait for a connection upstream.",
    ),
    Setting("READBACK_READ_TIMEOUT", parsers.seconds, "10", "Seconds to wait for the next bytes."),
    Setting(
        "READBACK_PAGE_TIMEOUT",
        parsers.seconds,
        "20",
        "Seconds a page may take in all, its retries included.",
    ),
    Setting("READBACK_MAX_RETRIES", parsers.whole(0, 10), "2", "Tries after the first one fails."),
    Setting(
        "READBACK_MAX_BYTES",
        parsers.whole(1024, 1024 * _MB),
        str(64 * _MB),
        "Bytes of one upstream answer, decompressed, that are read at the most.",
    ),
    Setting(
        "READBACK_MAX_PAGES",
        parsers.whole(1, 1_000_000),
        "10000",
        "Pages that Load all asks for in one go; a link goes on from there.",
    ),
    Setting(
        "READBACK_MEDIA_CACHE_BYTES",
        parsers.whole(0, 1024 * 1024 * _MB),
        str(256 * _MB),
        "Bytes of images and sounds of pages just shown that are kept for the browser to fetch.",
    ),
    Setting(
        "READBACK_MAX_TEXT_BYTES",
        parsers.whole(1_000, 100 * _MB),
        "200000",
        "Bytes of one text that a page shows at once; a link gives the rest.",
    ),
    Setting(
        "READBACK_MAX_BRACKETS",
        parsers.whole(0, 1_000_000),
        "4000",
        "Brackets, stars and the like in one text, above which it is shown without Markdown.",
    ),
    Setting(
        "READBACK_MAX_PAGE_BRACKETS",
        parsers.whole(0, 100_000_000),
        "40000",
        "The same for all texts of one page.",
    ),
    Setting(
        "READBACK_MAX_LEVELS",
        parsers.whole(2, 1_000),
        "100",
        "Blocks inside blocks, above which a text is shown without Markdown; a list is two.",
    ),
    Setting(
        "READBACK_MAX_CODE_BYTES",
        parsers.whole(0, 10 * _MB),
        "50000",
        "Bytes of one code block, above which it is shown without colours.",
    ),
    Setting(
        "READBACK_MAX_FORMULAS",
        parsers.whole(0, 100_000),
        "500",
        "Formulas of one page that are set; more stay as they were written.",
    ),
    Setting(
        "READBACK_MAX_PARTS",
        parsers.whole(1, 100_000),
        "200",
        "Content parts and tool calls of one message that a page shows at once.",
    ),
    Setting(
        "READBACK_MAX_VALUES",
        parsers.whole(0, 1_000_000),
        "2000",
        "Values of one JSON text that stand in a tree; the rest stands below as text.",
    ),
    Setting(
        "READBACK_MAX_TREE_LEVELS",
        parsers.whole(1, 60),
        "20",
        "Levels of JSON that stand as lists in lists; deeper values stand there as text.",
    ),
    Setting(
        "READBACK_MAX_ROWS",
        parsers.whole(1, 100_000),
        "500",
        "Rows of one CSV text that stand in a table; the source has all of them.",
    ),
    Setting(
        "READBACK_RENDER_TIMEOUT",
        parsers.seconds,
        "1",
        "Seconds one page may spend on rendering texts; what is left then is shown as it is.",
    ),
    Setting(
        "READBACK_PROXY", parsers.proxy, "", "A proxy for upstream calls; HTTP_PROXY is not read."
    ),
    Setting(
        "READBACK_CA_BUNDLE",
        parsers.readable_file,
        "",
        "A PEM file of the authorities to trust upstream.",
    ),
    Setting(
        "READBACK_GALLERY",
        parsers.folder,
        "",
        "A folder of bubbles (JSON) to show at /dev/gallery, for development.",
    ),
)
