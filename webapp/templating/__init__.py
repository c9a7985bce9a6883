"""Filters, tests and functions of the templates, and the values that they are called with.

context       all that the rendering of a page's messages depends on: view, budgets, images
keeping       copies of completions, and when the server deletes them
notes         the notes on a transcript
headers       the title of a transcript, its settings in groups, and its metadata
listing       a page of the list of completions, its rows by days
bubbles       messages, their parts and calls as bubbles
bubble_cache  rendered bubbles, kept for pages that are read again
compiled      the code of templates, which all applications of a process have in common
addresses     the addresses of messages, texts, media and pages
comparing     the comparison of two completions
finding       filters of the list, conversations, hits of a search, the overview
outcomes      how a run ended and where it failed, in words
outlines      the outline and the ribbon of a run
runs          the run, links into it, and filters
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from flask import Flask
from jinja2 import StrictUndefined

from webapp import exact_json, formatting, media, rendering
from webapp.addresses.building import url_for
from webapp.caching.inputs import read_input
from webapp.completions import scalar_text
from webapp.finding.query import SORTS
from webapp.services import services
from webapp.shares import SHARED_ID
from webapp.templating import (
    addresses,
    bubbles,
    headers,
    keeping,
    listing,
    notes,
    outcomes,
    outlines,
    runs,
)
from webapp.templating.bubble_cache import BubbleCache
from webapp.templating.compiled import CompiledTemplates, TemplateEnvironment
from webapp.templating.context import MAX_FRAMES, VIEWS, RenderContext, has_remote_images, keep_view
from webapp.templating.finding import conversations, filters, overview, searching

__all__ = ["RenderContext", "install"]

_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "as_json": exact_json.indent,
    "clock_time": listing.clock_time,
    "time_beside": listing.time_beside,
    "coloured": rendering.render_snippet,
    "contradiction": media.describe_contradiction,
    "exact": rendering.render_exact,
    "excerpt": rendering.render_excerpt,
    "get_host": rendering.get_host,
    "hidden": rendering.find_hidden,
    "images_elsewhere": media.find_other_images,
    "json_type": rendering.get_type,
    "kind_of_file": media.describe_format,
    "numbered_lines": rendering.render_lines,
    "lacks_end": media.is_cut_off,
    "length_of_sound": media.describe_length,
    "linked": lambda text, own_host: rendering.link_addresses(text, own_host=own_host),
    "marked": rendering.reveal_invisible,
    "readable": rendering.write_readable,
    "media": media.extract_media,
    "media_at": media.parse_data_uri,
    "scalar": scalar_text,
    "setting_summary": headers.summarize_setting,
    "tool_name": rendering.render_tool_name,
    "tree": lambda value, context: rendering.render_json_tree(value, budgets=context.budgets),
    "withheld": media.explain_download,
}
_GLOBALS: Final[dict[str, Any]] = {
    "can_search": lambda: services().finder is not None,
    "can_count_whole": runs.can_count_whole,
    "confidence_url": addresses.confidence_url,
    "conversation_url": conversations.conversation_url,
    "describe_bar_time": overview.describe_time,
    "describe_failure": overview.describe_failure,
    "describe_part": runs.describe_part,
    "count_failures": outcomes.count_failures,
    "first_failure_url": outcomes.first_failure_url,
    "list_causes": outcomes.list_causes,
    "glance_at_question": outcomes.glance_at_question,
    "glance_at_answer": outcomes.glance_at_answer,
    "glance_at_end": outcomes.glance_at_end,
    "glance_at_failures": outcomes.glance_at_failures,
    "is_worth_a_summary": runs.is_worth_a_summary,
    "list_chips": runs.list_chips,
    "filter_url": runs.filter_url,
    "count_shown": runs.count_shown,
    "run_links": runs.RunLinks.on_page,
    "group_entries": runs.group_entries,
    "start_left_out": runs.LeftOut,
    "describe_keeping": keeping.describe_keeping,
    "may_change": keeping.may_change,
    "may_import": keeping.may_import,
    "may_change_note": notes.may_change_note,
    "may_note": notes.may_note,
    "may_pin": keeping.may_pin,
    "is_pinned": keeping.is_pinned,
    "find_copy_url": keeping.find_copy_url,
    "find_kept_time": None,
    "outside_url": None,
    "shared": lambda: services().share,
    "shared_id": SHARED_ID,
    "draw_ribbon": outlines.draw_ribbon,
    "ribbon_shapes": outlines.SHAPES,
    "draw_strip": overview.draw_strip,
    "bar_url": overview.bar_url,
    "list_outline": outlines.list_outline,
    "most_unchecked": searching.MAX_UNCHECKED,
    "find_overview": overview.find_overview,
    "find_long_text": bubbles.find_long_text,
    "find_search_place": searching.find_hit_place,
    "find_title": headers.find_title,
    "has_copies": lambda: services().copies is not None,
    "has_remote_images": has_remote_images,
    "list_cited": bubbles.list_cited,
    "list_counts": headers.list_counts,
    "read_filters": filters.read_filters,
    "list_kinds": filters.KINDS,
    "list_saved": filters.list_saved,
    "list_sorts": tuple(SORTS),
    "saved_url": filters.saved_url,
    "quick_filters": filters.QUICK,
    "fold_metadata": headers.fold_metadata,
    "list_outcomes": headers.list_outcomes,
    "list_calls": bubbles.list_calls,
    "max_frames": MAX_FRAMES,
    "media_url": addresses.media_url,
    "menu_url": addresses.menu_url,
    "message_url": addresses.message_url,
    "own_url": addresses.own_url,
    "page_url": addresses.page_url,
    "link_message": addresses.link_message,
    "piece_json_url": addresses.piece_json_url,
    "pieces_url": addresses.pieces_url,
    "range_url": addresses.range_url,
    "raw_url": addresses.raw_url,
    "render_bubble": bubbles.render_bubble,
    "text_url": addresses.text_url,
    "group_settings": headers.group_settings,
    "is_default": headers.is_default,
    "json_piece_url": addresses.json_piece_url,
    "json_url": addresses.json_url,
    "keep_view": keep_view,
    "kept_filters": addresses.kept_filters,
    "url_for": url_for,
    "view_arguments": bubbles.view_arguments,
    "view_call": bubbles.view_call,
    "view_pieces": bubbles.view_pieces,
    "view_url": addresses.view_url,
    "views": VIEWS,
    "whole_text_url": addresses.whole_text_url,
}


def install(app: Flask) -> None:
    """Give the templates of `app` their filters, tests and globals, and a cache of bubbles."""
    app.extensions[bubbles.BUBBLES] = BubbleCache()
    app.jinja_environment = TemplateEnvironment
    # All templates are kept, without the bookkeeping of a bounded cache.
    app.jinja_options = {**app.jinja_options, "cache_size": -1}
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.bytecode_cache = CompiledTemplates()
    env.trim_blocks = True
    env.lstrip_blocks = True
    env.filters.update(formatting.FILTERS)
    env.filters.update(_FILTERS)
    # They depend on the time, so that their values are inputs of the page.
    env.filters["ago"] = lambda seconds: read_input(partial(formatting.ago, seconds))
    env.filters["is_past"] = lambda seconds: read_input(partial(formatting.is_past, seconds))
    env.tests["linkable"] = addresses.is_linkable
    env.tests["bad_outcome"] = headers.is_bad_outcome
    env.tests["good_outcome"] = headers.is_good_outcome
    env.globals.update(_GLOBALS)
