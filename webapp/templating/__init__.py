"""What templates have at hand: filters that make Markup, words for numbers, and strictness.

addresses     where a message, its JSON and its media are given
texts         Markdown, sources and folds of the bubble that is shown
structures    trees, tables, arguments and definitions
compiled      templates compiled once a process
strictness    what no template may print
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Flask
from jinja2 import StrictUndefined

from webapp import formatting, media, rendering
from webapp.completions import scalar_text
from webapp.templating import addresses, long_texts, remote_images, structures, texts
from webapp.templating.compiled import COMPILED
from webapp.templating.strictness import encodable

_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "arguments": structures.arguments,
    "as_json": rendering.indent_json,
    "cited": texts.cited,
    "contradiction": media.contradiction,
    "definition": structures.definition,
    "exact": rendering.render_exact,
    "fold": texts.fold,
    "fold_arguments": texts.fold_arguments,
    "get_host": rendering.get_host,
    "has_remote_images": remote_images.has_remote_images,
    "hidden": rendering.find_hidden,
    "images_beside": media.images_beside,
    "images_elsewhere": media.images_elsewhere,
    "kind_of_file": media.kind_of_file,
    "lacks_end": media.lacks_end,
    "length_of_sound": media.length,
    "markdown": texts.markdown,
    "marked": rendering.reveal_invisible,
    "media": media.media_of,
    "media_at": media.media_at,
    "pieces": long_texts.pieces,
    "scalar": scalar_text,
    "structure": structures.structure,
    "told": rendering.summarize_setting,
    "too_long": long_texts.too_long,
    "tool_name": rendering.render_tool_name,
    "tree": structures.tree,
    "withheld": media.withheld,
    "within_budget": texts.within_budget,
}
_GLOBALS: Final[dict[str, Any]] = {
    "address_of": addresses.address_of,
    "loads_images": remote_images.loads_images,
    "max_frames": remote_images.MAX_FRAMES,
    "media_url": addresses.media_url,
    "own_url": addresses.own_url,
    "page_url": addresses.page_url,
    "pieces_url": long_texts.pieces_url,
    "raw_url": addresses.raw_url,
    "remote_image": remote_images.remote_image,
    "takes_frame": remote_images.takes_frame,
    "text_url": long_texts.text_url,
    "whole_url": long_texts.whole_url,
}


def install(app: Flask) -> None:
    """Gives the templates of `app` their filters, tests and globals."""
    env = app.jinja_env
    env.bytecode_cache = COMPILED
    env.undefined = StrictUndefined
    env.finalize = encodable
    env.trim_blocks = True
    env.lstrip_blocks = True
    env.filters.update(formatting.FILTERS)
    env.filters.update(_FILTERS)
    env.tests["short"] = structures.is_short
    env.tests["linkable"] = addresses.is_linkable
    env.tests["allowed_link"] = addresses.is_allowed_link
    env.globals.update(_GLOBALS)
