"""The bar of a transcript: what can be done with it, and what a reader of a share can do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from tests.shares.sharing import publish
from tests.support.long_transcripts import write_completion
from tests.support.pages import Page, readable


def list_actions(page: Page) -> list[str]:
    return [readable(one) for one in page.all(".bar-actions > a, .bar-actions summary")]


def test_the_bar_has_every_action(
    app: Flask, client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 3))
    page = Page.of(client.get("/completions/chatcmpl-long?order=desc"))

    assert list_actions(page) == ["Copy", "Download", "Print", "Share"]
    assert page.link("Print") == "/completions/chatcmpl-long?all=1#print"

    _, token = publish(app)
    assert list_actions(Page.of(client.get(f"/s/{token}"))) == ["Copy", "Download", "Print"]
