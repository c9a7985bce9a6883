"""The application on a server that has the whole hostile corpus, on a real port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.hostile.exact_upstream import ExactUpstream, whole_corpus
from tests.support.browser.chromium import browser, playwright
from tests.support.command import PATIENCE
from tests.support.serving import serve
from webapp import create_app
from webapp.config import Budgets, Config, Limits

__all__ = ["browser", "playwright"]


@pytest.fixture(scope="package")
def hostile_app() -> Iterator[Flask]:
    with whole_corpus().serve() as base_url:
        config = Config(
            openai_base_url=base_url,
            openai_api_key="sk-test-4f9a",
            limits=Limits(page_timeout=PATIENCE),
            budgets=Budgets(seconds=PATIENCE),
        )
        yield create_app(config)


@pytest.fixture(scope="package")
def hostile_address(hostile_app: Flask) -> Iterator[str]:
    with serve(hostile_app) as base_url:
        yield base_url


@pytest.fixture(scope="package")
def failing_address() -> Iterator[tuple[ExactUpstream, str]]:
    """A server of its own, that tests make fail, and the address of an application on it."""
    upstream = whole_corpus()
    with upstream.serve() as base_url:
        config = Config(
            openai_base_url=base_url,
            openai_api_key="sk-test-4f9a",
            limits=Limits(max_retries=0, page_timeout=PATIENCE),
        )
        with serve(create_app(config)) as address:
            yield upstream, address
