"""Whatever the upstream does, a page ends in time, in little memory, and says what happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import pytest
import requests

from tests.faults.broken_upstream import FAULTS, KEY, SAID, Fault
from tests.faults.conftest import DEADLINE
from tests.support.answer_headers import missing
from tests.support.command import PATIENCE, Served
from tests.support.pages import AS_FRAGMENT, Page
from tools.memory import HAS_PEAKS, forget_peak, held, peak, workers_of

PAGES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "list": ("/completions?model={id}", {}),
    "transcript": ("/completions/{id}", {}),
    "load more": ("/completions/{id}?after={id}-19", AS_FRAGMENT),
    "message link": ("/completions/{id}/messages/{id}-5", {}),
    "media": ("/completions/{id}/media/0123456789abcdef0123456789abcdef?message={id}-5", {}),
}


@dataclass(frozen=True)
class Taken:
    """An answer and the seconds that it took."""

    which: str
    response: requests.Response
    seconds: float


@pytest.fixture(params=FAULTS)
def name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def fault(name: str) -> Fault:
    return FAULTS[name]


@pytest.fixture
def growth(viewer: Served, fault: Fault) -> Iterator[None]:
    """Checks afterwards that the server did not need much more memory than before."""
    if not HAS_PEAKS:
        yield
        return
    (worker,) = workers_of(viewer.process.pid)
    forget_peak(worker)
    before = held(worker)
    yield
    assert peak(worker) - before < fault.memory


def taken(viewer: Served, which: str, name: str) -> Taken:
    path, headers = PAGES[which]
    url = viewer.url(path.format(id=name))
    started = time.monotonic()
    response = requests.get(url, headers=headers, timeout=PATIENCE)
    return Taken(which, response, time.monotonic() - started)


@pytest.mark.usefixtures("growth")
def test_every_page_ends_in_time_and_says_what_happened(
    viewer: Served, name: str, fault: Fault
) -> None:
    with ThreadPoolExecutor(len(PAGES)) as readers:
        answers = list(readers.map(lambda which: taken(viewer, which, name), PAGES))
    for answer in answers:
        page = Page(answer.response.text)
        assert answer.response.status_code in fault.statuses, (answer.which, page.text)
        assert fault.sentence in page.text, (answer.which, page.text)
        assert answer.seconds < 3 * DEADLINE, answer.which
        assert missing(answer.response.headers.items()) == [], answer.which
        assert is_harmless(answer.response), answer.which


def is_harmless(response: requests.Response) -> bool:
    """Whether nothing of the key, of our insides or of foreign markup is in it."""
    everything = response.text + str(response.headers)
    page = Page(response.text)
    return (
        not any(word in everything for word in (KEY, "Traceback", "site-packages", "urllib3"))
        and "X-Injected" not in response.headers
        and SAID not in str(response.headers)
        and len(response.text) < 100_000
        and not page.all("b, [href^=javascript], [href^=file]")
        and all(node.attributes.get("src") for node in page.all("script"))
    )
