"""What a worker takes on at once, and what it gives back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webapp.config import Config
from webapp.serving.admission import (
    MAX_OTHER_BODY,
    TOO_LARGE,
    TOO_MANY,
    Admission,
    Kind,
    Permit,
    Quotas,
    classify,
)

BODY = 1_000


@pytest.fixture
def admission() -> Admission:
    most = {Kind.CREATE: 3, Kind.STREAM: 1, Kind.PAGE: 1}
    return Admission(Quotas(most, dict.fromkeys(Kind, 1), BODY))


def permit(admission: Admission, kind: Kind, size: int = 0, client: str = "") -> Permit:
    admitted = admission.admit(kind, size, client)
    assert isinstance(admitted, Permit)
    return admitted


@pytest.mark.parametrize(
    ("method", "path", "query", "kind"),
    [
        ("GET", "/healthz", "", Kind.QUICK),
        ("POST", "/v1/chat/completions", "", Kind.CREATE),
        ("GET", "/v1/chat/completions", "limit=100", Kind.STREAM),
        ("GET", "/v1/chat/completions/chatcmpl-1/messages", "", Kind.STREAM),
        ("GET", "/completions/chatcmpl-1", "limit=5&all=1", Kind.STREAM),
        ("GET", "/s/token/completions/shared/export.md", "", Kind.SHARED),
        ("GET", "/s/token", "all=1", Kind.SHARED),
        ("GET", "/s/token", "", Kind.PAGE),
        ("GET", "/completions/chatcmpl-1", "", Kind.PAGE),
        ("GET", "/completions", "model=all", Kind.PAGE),
        ("POST", "/open", "", Kind.PAGE),
        ("POST", "/v1/embeddings", "", Kind.CREATE),
        ("POST", "/v1/chat/completions/chatcmpl-1", "", Kind.STREAM),
        ("GET", "/healthz/", "", Kind.PAGE),
        ("GET", "/v1/healthz", "", Kind.STREAM),
        ("PUT", "/v1/files/1", "", Kind.CREATE),
        ("GET", "/v1/models", "", Kind.STREAM),
        ("GET", "/search", "q=all", Kind.SEARCH),
        ("GET", "/completions/chatcmpl-1/search", "q=x", Kind.SEARCH),
        ("GET", "/overview", "", Kind.SEARCH),
        ("GET", "/login/openid/callback", "state=1", Kind.LOGIN),
        ("GET", "/login", "", Kind.PAGE),
    ],
)
def test_the_head_of_a_request_says_its_kind(
    method: str, path: str, query: str, kind: Kind
) -> None:
    assert classify(method, path, query) is kind


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/open", Kind.BODY),
        ("GET", "/completions", Kind.BODY),
        ("POST", "/v1/chat/completions/chatcmpl-1", Kind.BODY),
        ("GET", "/v1/models", Kind.BODY),
        ("POST", "/v1/chat/completions", Kind.CREATE),
        ("POST", "/healthz", Kind.QUICK),
        ("POST", "/import", Kind.UPLOAD),
        ("GET", "/import", Kind.BODY),
        ("POST", "/import/1", Kind.BODY),
    ],
)
def test_other_requests_with_a_body_are_a_kind(method: str, path: str, kind: Kind) -> None:
    assert classify(method, path, "", has_body=True) is kind


def test_a_full_share_refuses_its_own_kind_only(admission: Admission) -> None:
    held = permit(admission, Kind.STREAM)

    assert admission.admit(Kind.STREAM, 0) is TOO_MANY
    assert TOO_MANY.status.startswith("503") and TOO_MANY.retry_after
    permit(admission, Kind.PAGE)
    permit(admission, Kind.CREATE)
    held.release()
    permit(admission, Kind.STREAM)


def test_a_permit_gives_its_place_back_once(admission: Admission) -> None:
    held = permit(admission, Kind.STREAM)
    held.release()
    held.release()

    permit(admission, Kind.STREAM)
    assert admission.admit(Kind.STREAM, 0) is TOO_MANY


def test_health_is_never_refused(admission: Admission) -> None:
    for _ in range(1_000):
        permit(admission, Kind.QUICK)


def test_bodies_of_creates_share_a_budget(admission: Admission) -> None:
    first, second = (permit(admission, Kind.CREATE, BODY, client) for client in "ab")

    assert admission.admit(Kind.CREATE, 1) is TOO_MANY
    first.release()
    permit(admission, Kind.CREATE, BODY // 2)
    second.release()


def test_a_body_beyond_the_limit_is_never_taken(admission: Admission) -> None:
    assert admission.admit(Kind.CREATE, BODY + 1) is TOO_LARGE
    assert admission.admit(Kind.PAGE, MAX_OTHER_BODY + 1) is TOO_LARGE
    permit(admission, Kind.PAGE, MAX_OTHER_BODY)


def test_a_body_in_chunks_holds_more_as_it_arrives(admission: Admission) -> None:
    held = permit(admission, Kind.CREATE, client="a")
    other = permit(admission, Kind.CREATE, BODY, client="b")

    assert admission.hold_bytes(held, BODY // 2) is None
    assert admission.hold_bytes(held, BODY) is None
    assert admission.hold_bytes(held, BODY + 1) is TOO_LARGE
    assert admission.admit(Kind.CREATE, 1) is TOO_MANY
    held.release()
    other.release()
    assert isinstance(admission.admit(Kind.CREATE, BODY), Permit)


def test_one_client_leaves_others_half_of_the_bytes_of_creates(admission: Admission) -> None:
    held = permit(admission, Kind.CREATE, BODY, "a")
    in_chunks = permit(admission, Kind.CREATE, client="a")

    assert admission.admit(Kind.CREATE, 1, "a") is TOO_MANY
    assert admission.hold_bytes(in_chunks, 1) is TOO_MANY
    permit(admission, Kind.CREATE, BODY, "b")
    held.release()
    assert admission.hold_bytes(in_chunks, BODY) is None


@pytest.mark.parametrize(("threads", "creates"), [(2, 1), (4, 3), (64, 48)])
def test_one_client_leaves_others_places_of_every_kind(threads: int, creates: int) -> None:
    quotas = Quotas.for_config(Config(threads=threads))
    admission = Admission(quotas)
    for kind in quotas.most:
        held = [
            permit(admission, kind, client="192.0.2.1") for _ in range(quotas.most_of_one[kind])
        ]

        assert admission.admit(kind, 0, "192.0.2.1") is TOO_MANY
        assert admission.is_full(kind, "192.0.2.1") and not admission.is_full(kind, "192.0.2.2")
        permit(admission, kind, client="192.0.2.2")
        held[0].release()
        permit(admission, kind, client="192.0.2.1")
    assert quotas.most_of_one[Kind.CREATE] == creates


def test_pages_of_other_servers_wait_in_more_threads() -> None:
    elsewhere = Config(openai_base_url="http://127.0.0.1:1/v1")
    own, other = (Quotas.for_config(one) for one in (Config(), elsewhere))

    assert own.threads[Kind.PAGE] < other.threads[Kind.PAGE] == own.threads[Kind.CREATE]
    for quotas in (own, other):
        for kind in (Kind.PAGE, Kind.SEARCH):
            assert 1 <= quotas.threads_of_one[kind] < quotas.threads[kind]


def test_uploads_are_larger_than_forms_and_few_where_files_are_imported() -> None:
    config = Config(allows_writes=True, max_upload_bytes=5_000_000, threads=1)
    takes, closed = (
        Admission(Quotas.for_config(one)) for one in (config, replace(config, allows_writes=False))
    )

    held = permit(takes, Kind.UPLOAD, 5_000_000)
    assert takes.hold_bytes(held, 5_000_000) is None
    assert takes.hold_bytes(held, 7_000_000) is TOO_LARGE
    assert takes.admit(Kind.UPLOAD, 1) is TOO_MANY
    permit(takes, Kind.BODY)
    held.release()
    assert takes.admit(Kind.UPLOAD, 7_000_000) is TOO_LARGE
    assert closed.admit(Kind.UPLOAD, 5_000_000) is TOO_LARGE
