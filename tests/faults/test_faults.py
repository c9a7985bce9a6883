"""With every fault of the upstream, a page ends, needs little memory, and names the fault."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
import requests

from tests.faults.broken_upstream import FAULTS, KEY, LATE, SAID, Fault
from tests.support.answer_headers import find_header_faults
from tests.support.command import PATIENCE, Served
from tests.support.pages import AS_FRAGMENT, Page
from tools.memory import HAS_PEAKS, find_children, read_held, read_peak, reset_peak

PAGES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "list": ("/completions?model={id}", {}),
    "transcript": ("/completions/{id}", {}),
    "load more": ("/completions/{id}?after={id}-19", AS_FRAGMENT),
    "message link": ("/completions/{id}/messages/{id}-5", {}),
    "media": ("/completions/{id}/media/0123456789abcdef0123456789abcdef?message={id}-5", {}),
}


@pytest.fixture(params=FAULTS)
def name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def fault(name: str) -> Fault:
    return FAULTS[name]


@pytest.fixture
def viewer(request: pytest.FixtureRequest, name: str, fault: Fault) -> Served:
    is_late = fault.statuses == LATE or name.startswith("slow-")
    viewer: Served = request.getfixturevalue("hasty_viewer" if is_late else "patient_viewer")
    return viewer


@pytest.fixture
def growth(viewer: Served, fault: Fault) -> Iterator[None]:
    """Check afterwards that the server did not need much more memory than before."""
    if not HAS_PEAKS:
        yield
        return
    (worker,) = find_children(viewer.process.pid)
    reset_peak(worker)
    before = read_held(worker)
    yield
    assert read_peak(worker) - before < fault.memory


def ask(viewer: Served, which: str, name: str) -> requests.Response:
    """Return the answer; raise if it does not come, which an upstream without end could cause."""
    path, headers = PAGES[which]
    return requests.get(viewer.url(path.format(id=name)), headers=headers, timeout=PATIENCE)


@pytest.mark.usefixtures("growth")
def test_every_page_ends_and_says_what_happened(viewer: Served, name: str, fault: Fault) -> None:
    with ThreadPoolExecutor(len(PAGES)) as readers:
        answers = list(readers.map(lambda which: ask(viewer, which, name), PAGES))
    for which, answer in zip(PAGES, answers, strict=True):
        page = Page(answer.text)
        assert answer.status_code in fault.statuses, (which, page.text)
        assert fault.sentence in page.text, (which, page.text)
        assert find_header_faults(answer.headers.items()) == [], which
        assert is_harmless(answer), which


def is_harmless(response: requests.Response) -> bool:
    """Return whether it contains nothing of the key, of our insides or of foreign markup."""
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
