"""A server whose disk for temporary files is full says so, and answers what needs none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import pytest
import requests

from tests.support.command import PATIENCE, Readback, Served, find_free_port
from tools.forking import Forkable
from tools.outages import MountRefused, fill_disk, small_disk
from tools.store_rows import add, completion, database_url
from webapp.embedded import Store

pytestmark = pytest.mark.process

LARGE: Final = 1_000_000
NO_ROOM: Final = "disk for temporary files is full"
_LEFT_OPEN: Final = re.compile(r"^Exception ignored in: .*?^ResourceWarning: .*?$", re.M | re.S)
"""waitress and prometheus-client do not close a file that they cannot write."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, forkable: Forkable) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("site")
    said = [{"role": "user", "content": "x" * LARGE}]
    paragraphs = [{"role": "user", "content": f"{at} {'word ' * 4_000}"} for at in range(40)]
    texts = [{"role": "user", "content": f"{at}{'x' * 200_000}"} for at in range(40)]
    with closing(Store(database_url(folder))) as store:
        add(store, completion("large") | {"messages": said})
        add(store, completion("long") | {"messages": paragraphs})
        add(store, completion("wide") | {"messages": texts})
    readback = Readback.of_user(
        folder,
        forkable=forkable,
        DATABASE_URL=database_url(folder),
        READBACK_WORKERS="1",
        READBACK_WRITES="1",
        READBACK_MODEL_URL="http://127.0.0.1:9/v1",
        # The files of the metrics are in the temporary folder as well.
        READBACK_METRICS_PORT=str(find_free_port()),
        TMPDIR=str(folder / "temporary"),
    )
    try:
        with small_disk(folder / "temporary", megabytes=4) as disk, readback.serve() as served:
            # Python takes the folder if it has room when it is needed first, and keeps to it then.
            assert send(served, "/import", files={"files": ("a", b"x")}).status_code == 200
            fill_disk(disk)
            yield served
            assert "Traceback" not in _LEFT_OPEN.sub("", served.stop().errors)
    except MountRefused as refusal:
        pytest.skip(str(refusal))


def send(served: Served, path: str, **body: Any) -> requests.Response:
    return requests.post(served.url(path), timeout=PATIENCE, **body)


def test_a_large_create_is_answered_in_the_form_of_the_api(served: Served) -> None:
    answer = send(served, "/v1/chat/completions", data=b" " * LARGE)

    assert answer.status_code == 507
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("server_error", "temporary_disk_full")
    assert NO_ROOM in error["message"]


@pytest.mark.parametrize("size", [10_000, LARGE])
def test_an_upload_is_answered(served: Served, size: int) -> None:
    answer = send(served, "/import", files={"files": ("a.jsonl", b"x" * size)})

    assert answer.status_code == 507
    assert NO_ROOM in answer.text


def test_a_large_page_of_the_api_names_the_right_disk(served: Served) -> None:
    answer = served.get("/v1/chat/completions/large/messages")

    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "temporary_disk_full")
    assert NO_ROOM in answer.json()["error"]["message"]
    page = served.get("/completions/large")
    assert page.status_code == 502 and NO_ROOM in page.text


def test_a_page_whose_client_takes_it_needs_no_file(served: Served) -> None:
    page = served.get("/completions/long?limit=100")
    held = served.get("/completions/wide/export.json")

    assert page.status_code == held.status_code == 200
    assert page.text.rstrip().endswith("</html>") and len(page.content) > 500_000
    assert len(held.json()["messages"]) == 40
