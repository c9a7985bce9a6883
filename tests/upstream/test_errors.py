"""The error for each answer, and its texts for the reader and for the log."""

from __future__ import annotations

import gzip
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.fake_upstream import FakeUpstream, Reply, error, stored
from tests.support.serving import serve
from tests.upstream.conftest import KEY, Connect
from tools.paths import SHARED
from webapp.config.base_urls import suggest_base_url
from webapp.upstream import (
    BadAnswer,
    BadRequest,
    Endpoint,
    KeyRejected,
    Limits,
    NotFound,
    NotSupported,
    RateLimited,
    Redirected,
    ServerFailed,
    TimedOut,
    Upstream,
    UpstreamError,
)
from webapp.upstream.error_mapping import KINDS_BY_STATUS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

ID = "chatcmpl-1"
PATH = f"/chat/completions/{ID}"
ONCE = Limits(max_retries=0)
ERRORS = SHARED / "data" / "errors.json"

HTML = "<!doctype html><html><head><title>502 Bad &amp; Gateway</title></head></html>"


def problem_with(connect: Connect, fake: FakeUpstream, reply: Reply) -> UpstreamError:
    fake.script(PATH, reply)
    with pytest.raises(UpstreamError) as problem:
        connect(fake, limits=ONCE).retrieve_completion(ID)
    return problem.value


@pytest.mark.parametrize(
    ("reply", "kind", "http_status"),
    [
        (error(400, "Invalid 'limit'"), BadRequest, 400),
        (error(409, "conflict"), BadRequest, 400),
        (error(410, "gone"), NotFound, 404),
        (error(422, "bad metadata"), BadRequest, 400),
        (error(400, f"Chat completion with id {ID} not found"), NotFound, 404),
        (error(400, "cursor 'x' not found"), BadRequest, 400),
        (error(401, "Incorrect API key provided"), KeyRejected, 502),
        (error(403, "insufficient permissions"), KeyRejected, 502),
        (error(404, f"Completion {ID} not found", code="not_found"), NotFound, 404),
        (error(404, "Unknown request URL: GET /x.", code="unknown_url"), NotSupported, 501),
        (error(404, "Unknown request URL: GET /x."), NotSupported, 501),
        (Reply(404, {"detail": "Not Found"}), NotSupported, 501),
        (error(404, "File Not Found"), NotSupported, 501),
        (error(404, "Invalid URL (GET /chat/completions/x)"), NotSupported, 501),
        (Reply(404, {"message": "Cannot GET /v1/chat/completions/x"}), NotSupported, 501),
        (Reply(400, [{"error": {"code": 400, "message": "API key not valid."}}]), KeyRejected, 502),
        (error(400, "Invalid api_key"), KeyRejected, 502),
        (error(400, "the key of the metadata is not valid"), BadRequest, 400),
        (Reply(404, {"message": "Route GET:/v1/chat/completions/x not found"}), NotSupported, 501),
        (Reply(404, {"error": "Unexpected endpoint or method. (GET /v1/x)"}), NotSupported, 501),
        (Reply(200, {"error": "Unexpected endpoint or method. (GET /v1/x)"}), NotSupported, 501),
        (error(404, "Unrecognized request URL (GET: /v1/x)."), NotSupported, 501),
        (error(404, "Path /v1/chat/completions/x not found"), NotSupported, 501),
        (Reply(404, {"detail": "API endpoint not found: x"}), NotSupported, 501),
        (Reply(404, {"msg": "NOT FOUND"}), NotSupported, 501),
        (Reply(404, {"errors": [{"message": "Could not route to /x."}]}), NotSupported, 501),
        (error(404, "This endpoint is not supported"), NotSupported, 501),
        (error(404, "No endpoints found for this model"), NotFound, 404),
        (Reply(200, {"error": {"message": "bad key", "code": 401}}), BadAnswer, 502),
        (Reply(404, {"detail": f"Completion {ID} not found"}), NotFound, 404),
        (error(404, f"No completion was found for {ID}"), NotFound, 404),
        (error(404, "Project path/x not found"), NotFound, 404),
        (Reply(404, "404 page not found"), NotSupported, 501),
        (Reply(404, HTML), NotSupported, 501),
        (Reply(404, ""), NotSupported, 501),
        (Reply(405, ""), NotSupported, 501),
        (Reply(501, HTML), NotSupported, 501),
        (error(408, "late"), TimedOut, 504),
        (error(429, "Rate limit reached"), RateLimited, 429),
        (error(500, "The server had an error"), ServerFailed, 502),
        (Reply(503, HTML), ServerFailed, 502),
        (Reply(599, b"\xff\xfe\x00"), ServerFailed, 502),
        (Reply(301, "", (("Location", "https://other.example/"),)), Redirected, 502),
        (Reply(304, ""), Redirected, 502),
        (Reply(600, "?"), BadAnswer, 502),
    ],
)
def test_each_answer_means_one_error(
    connect: Connect,
    reply: Reply,
    kind: type[UpstreamError],
    http_status: int,
) -> None:
    problem = problem_with(connect, FakeUpstream(), reply)

    assert type(problem) is kind
    assert problem.http_status == http_status
    assert problem.status == (None if reply.status == 200 else reply.status)
    assert ("unknown status" in str(problem)) == (reply.status == 600)
    assert str(problem).endswith(".")
    assert problem.advice.endswith(".")


@pytest.mark.parametrize("kind", KINDS_BY_STATUS.values())
def test_an_error_of_a_status_has_its_own_sentence(kind: type[UpstreamError]) -> None:
    assert kind.sentence != UpstreamError.sentence


@pytest.mark.parametrize(
    ("said", "kind", "shown"),
    [
        (f"Bad key {KEY}", BadAnswer, "Bad key ***"),
        ("Cannot POST /v1", BadRequest, "Cannot POST /v1"),
    ],
)
def test_an_error_with_the_status_of_a_success_may_answer_a_create(
    connect: Connect, said: str, kind: type[UpstreamError], shown: str
) -> None:
    fake = FakeUpstream()
    fake.script("/chat/completions", Reply(200, {"error": {"message": said}}))
    with pytest.raises(UpstreamError) as problem:
        connect(fake).create_completion(b"{}")

    assert type(problem.value) is kind and problem.value.server_message == shown


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "in the envelope"}}, "in the envelope"),
        ({"error": "as a string"}, "as a string"),
        ({"error": {"code": 7}, "message": "beside"}, "beside"),
        ({"error": "invalid_grant", "error_description": "of OAuth"}, "of OAuth"),
        ({"status": 404, "error": "Bad Request", "message": "of Spring"}, "of Spring"),
        ([{"error": {"code": 400, "message": "of Google's list"}}], "of Google's list"),
        ({"error": [{"message": "in a list"}]}, "in a list"),
        ({"errors": [{"message": "one"}, {"message": "two"}, {"message": "one"}]}, "one; two"),
        ({"errors": {"name": ["x"], "message": "of Rails"}}, "of Rails"),
        ({"error": {"message": {"message": "deeper"}}}, "deeper"),
        ({"detail": {"error": {"message": "both"}}}, "both"),
        ({"fault": {"faultstring": "of Apigee"}}, "of Apigee"),
        ({"Message": "of AWS"}, "of AWS"),
        ({"error": [[[[[[["too deep"]]]]]]]}, '{"error":[[[[[[["too deep"]]]]]]]}'),
        ({"message": "bare"}, "bare"),
        ({"detail": "of FastAPI"}, "of FastAPI"),
        ({"detail": [{"msg": "nested"}]}, "nested"),
        (
            {"detail": [{"loc": ["path", "id"], "msg": "value is not a valid id", "type": "v"}]},
            "value is not a valid id (path.id)",
        ),
        ({"title": "of a problem"}, "of a problem"),
        ({"error": None}, '{"error":null}'),
        ({"limit": ["A valid integer is required."]}, "A valid integer is required. (limit)"),
        ({"errors": {"email": ["It is taken."]}}, "It is taken. (email)"),
        ({"non_field_errors": ["of Django"]}, "of Django"),
        ({"error": {"message": '{"error": {"message": "of the provider"}}'}}, "of the provider"),
        ({"error": {"code": "x", "innererror": {"message": "inner"}}}, "inner"),
        ({"error": True, "reason": "of Vapor"}, "of Vapor"),
        ({"response": {"error": {"message": "wrapped"}}}, "wrapped"),
        ({"errorMessages": ["of Jira"], "errors": {}}, "of Jira"),
        ('data: {"error": {"message": "of a stream"}}\n\n', "of a stream"),
        ('\ufeff{"message": "behind a mark"}', "behind a mark"),
        ({"error_code": 17, "error_msg": "of Baidu"}, "of Baidu"),
        ({"base_resp": {"status_code": 1004, "status_msg": "of MiniMax"}}, "of MiniMax"),
        ({"err": "of Gin"}, "of Gin"),
        ({"status": {"code": 5, "message": "of a status"}}, "of a status"),
        ({"Header": {"Code": 401, "Message": "of a header"}}, "of a header"),
        ({"meta": {"error": "of metadata"}}, "of metadata"),
        ({"meta": {"status": {"message": "of its status"}}}, "of its status"),
        ({"body": {"error": {"message": "of a body"}}}, "of a body"),
        ({"resultCode": 1, "resultMsg": "of a result"}, "of a result"),
        ({"errCode": 1, "errMsg": "of a code"}, "of a code"),
        ({"status": "fail", "data": {"id": "No such id"}}, "No such id (id)"),
        ({"detail": ["of a list", "and more"]}, "of a list; and more"),
        ({"type": "about:blank", "title": "Not Found", "detail": "of RFC 7807"}, "of RFC 7807"),
        ({"title": "Bad", "violations": [{"field": "id", "message": "too long"}]}, "too long (id)"),
        ({"title": "Bad", "invalid-params": [{"name": "id", "reason": "too long"}]}, "too long"),
        ("<problem><title>x</title><detail>of its XML</detail></problem>", "of its XML"),
        ({"statusCode": 500, "statusText": "of a status"}, "of a status"),
        ({"error": {"user_message": "for users"}}, "for users"),
        (
            {"error": {"message": "Provider failed", "metadata": {"raw": '{"error":"its own"}'}}},
            "Provider failed (its own)",
        ),
        ("<?xml version='1.0'?><Error><Message>of S3</Message></Error>", "of S3"),
        ("<html><body><h1>502 Bad Gateway</h1></body></html>", "502 Bad Gateway"),
        ("<title>Error</title><body><pre>Cannot GET /v1/x</pre>", "Cannot GET /v1/x"),
        ("<title>Error</title><p>No page of errors", "Error No page of errors"),
        ('event: error\ndata: {"error": {"message": "of an event"}}\n\n', "of an event"),
        ({"Response": {"Error": {"Code": "x", "Message": "of Tencent"}}}, "of Tencent"),
        (
            {"error": {"issues": [{"path": ["limit"], "message": "Too big"}], "name": "ZodError"}},
            "Too big (limit)",
        ),
        ({}, None),
        ("{\n}\n", None),
        ("[ \t{}\r\n]", None),
        ([], None),
        ("text", "text"),
        ('"a string"', "a string"),
        (HTML, "502 Bad & Gateway"),
        ("<p>no title", "no title"),
        ("<p>No</p> <style>p {}</style><p>title &amp; <b>bold", "No title & bold"),
        ("<script>var x</script>", None),
        ("", None),
        (b'\xef\xbb\xbf{"message":"after a mark"}', "after a mark"),
        (b"\xff\xff", "\ufffd\ufffd"),
        ('{"message":"of UTF-16 \u20ac"}'.encode("utf-16"), "of UTF-16 \u20ac"),
        (b"\xfe\xff" + '{"message":"of Big Endian"}'.encode("utf-16-be"), "of Big Endian"),
        ('{"error": {"message": "cut of', '{"error": {"message": "cut of'),
        ("[" * 5000, "[" * 2000 + "…"),
    ],
)
def test_an_error_body_of_any_shape_is_read(connect: Connect, body: Any, said: str | None) -> None:
    problem = problem_with(connect, FakeUpstream(), Reply(500, body))

    assert problem.server_message == said


def test_the_fields_of_googles_envelope_are_kept(connect: Connect) -> None:
    body = [{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}]
    problem = problem_with(connect, FakeUpstream(), Reply(400, body))

    assert (problem.type, problem.code) == ("INVALID_ARGUMENT", "400")


@pytest.mark.parametrize(
    "reply",
    [
        error(404, "File Not Found", code="404"),
        error(404, "nothing here", code="not_found"),
        Reply(404, {"detail": "Not Found"}),
        Reply(404, HTML),
        Reply(404, ""),
        Reply(410, "gone"),
        error(404, "The model `x` does not exist."),
    ],
)
def test_a_404_of_the_list_is_about_listing(connect: Connect, reply: Reply) -> None:
    fake = FakeUpstream()
    fake.script("/chat/completions", reply)

    with pytest.raises(NotSupported, match="does not offer stored completions"):
        connect(fake).list_completions()


def test_a_400_of_the_list_is_about_its_filter(connect: Connect) -> None:
    fake = FakeUpstream()
    fake.script("/chat/completions", error(400, "Model gpt-x not found"))

    with pytest.raises(BadRequest, match="did not accept the request") as problem:
        connect(fake).list_completions(model="gpt-x")

    assert "Change the filter" in (problem.value.advice or "")
    assert "base URL" not in (problem.value.advice or "")


SPA = "<!doctype html><title>A page</title>"


ELSEWHERE = Reply(307, "", (("Location", "/login"),))


@pytest.mark.parametrize("reply", [Reply(404, SPA), Reply(405, ""), Reply(200, SPA), ELSEWHERE])
@pytest.mark.parametrize("path", ["", "/api", "/openai"])
def test_a_base_url_without_v1_is_offered_with_it(reply: Reply, path: str) -> None:
    with serve(lambda environ, start: answer(reply, start)) as address:
        upstream = Upstream(Endpoint.openai(f"{address}{path}/"), limits=Limits(max_retries=0))
        with pytest.raises(UpstreamError) as caught:
            upstream.list_completions()

    assert f"set OPENAI_BASE_URL to {address}{path}/v1." in caught.value.advice


@pytest.mark.parametrize(
    ("path", "right"),
    [("/v1/v1", "/v1"), ("/api/v1/v1/?k=1", "/api/v1 and its query"), ("/v4/v4", "/v4")],
)
def test_a_doubled_version_is_offered_once(path: str, right: str) -> None:
    with serve(lambda environ, start: answer(Reply(404, SPA), start)) as address:
        upstream = Upstream(Endpoint.openai(f"{address}{path}"), limits=Limits(max_retries=0))
        with pytest.raises(NotSupported) as caught:
            upstream.list_completions()

    assert f"set OPENAI_BASE_URL to {address}{right}." in caught.value.advice


@pytest.mark.parametrize("path", ["/v1", "/V1", "/api/v3", "/openai?api-version=2024-10-21"])
def test_a_base_url_with_a_version_is_not_doubted(path: str) -> None:
    with serve(lambda environ, start: answer(Reply(404, SPA), start)) as address:
        upstream = Upstream(Endpoint.openai(f"{address}{path}"), limits=Limits(max_retries=0))
        with pytest.raises(NotSupported) as caught:
            upstream.list_completions()

    assert "OPENAI_BASE_URL" not in caught.value.advice


def answer(reply: Reply, start: StartResponse) -> list[bytes]:
    start(f"{reply.status} Scripted", [("Content-Type", "text/html")])
    return [reply.encode()]


@pytest.mark.parametrize(
    ("base_url", "right"),
    [
        ("https://api.groq.com/v1", "https://api.groq.com/openai/v1"),
        ("https://openrouter.ai/v1", "https://openrouter.ai/api/v1"),
        ("https://name.openai.azure.com", "https://name.openai.azure.com/openai/v1"),
        (
            "https://name.openai.azure.com/openai/deployments/d",
            "https://name.openai.azure.com/openai/v1",
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta",
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
        ("https://api.perplexity.ai/v1", "https://api.perplexity.ai"),
        ("http://localhost:8000/docs", "http://localhost:8000/v1"),
        ("http://127.0.0.1:11434/api", "http://127.0.0.1:11434/v1"),
        ("https://ollama.com/api", "https://ollama.com/v1"),
        ("http://localhost:8080/api", "http://localhost:8080/api/v1"),
        ("http://localhost:8000/redoc", "http://localhost:8000/v1"),
        ("https://api.groq.com/openai/v1", None),
        ("https://name.openai.azure.com/openai/v1", None),
        ("https://api.perplexity.ai", None),
    ],
)
def test_the_base_url_of_a_known_server_is_offered(base_url: str, right: str | None) -> None:
    advice = suggest_base_url(base_url, setting="READBACK_MODEL_URL")

    assert (advice or "").partition(": ")[2] == (
        f"set READBACK_MODEL_URL to {right}." if right else ""
    )


@pytest.mark.parametrize(
    ("status", "sentence", "advice"),
    [
        (402, "did not accept the request", "billing"),
        (403, "refuses access", "firewall"),
        (407, "did not accept the request", "READBACK_PROXY"),
        (451, "did not accept the request", "where Readback runs"),
    ],
)
def test_the_advice_is_about_the_status(
    connect: Connect, status: int, sentence: str, advice: str
) -> None:
    fake = FakeUpstream()
    fake.script("/chat/completions", error(status, "No."))
    with pytest.raises(UpstreamError, match=sentence) as caught:
        connect(fake).list_completions()

    assert advice in caught.value.advice


def test_the_fields_of_the_envelope_are_kept(connect: Connect) -> None:
    body = {"error": {"message": "m", "type": "t", "param": "limit", "code": 12}}
    headers = (("x-request-id", "req_1"), ("Retry-After", "7"))
    problem = problem_with(connect, FakeUpstream(), Reply(429, body, headers))

    assert (problem.type, problem.param, problem.code) == ("t", "limit", "12")
    assert problem.request_id == "req_1"
    assert problem.retry_after == 7


def test_a_used_up_quota_is_not_advised_to_wait(connect: Connect) -> None:
    problem = problem_with(
        connect, FakeUpstream(), error(429, "You exceeded your quota", code="insufficient_quota")
    )

    assert "billing" in problem.advice


@pytest.mark.parametrize("compressed", [False, True])
def test_a_huge_error_is_read_to_64_kib_only(connect: Connect, compressed: bool) -> None:
    text = b"<title>Down</title>" + b" " * 5_000_000
    body = gzip.compress(text, mtime=0) if compressed else text
    headers = (("Content-Encoding", "gzip"),) if compressed else ()
    problem = problem_with(connect, FakeUpstream(), Reply(503, body, headers))

    assert isinstance(problem, ServerFailed)
    assert problem.server_message == "Down"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_damaged_error_body_is_an_error_without_a_message(
    connect: Connect, encoding: str
) -> None:
    reply = Reply(503, b"not compressed", (("Content-Encoding", encoding),))
    problem = problem_with(connect, FakeUpstream(), reply)

    assert isinstance(problem, ServerFailed)
    assert problem.server_message is None


def test_a_key_that_the_server_repeats_is_not_shown(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"error": {"message": f"Bad key {KEY}!", "type": KEY, "param": KEY, "code": KEY}}
    reply = Reply(401, body, (("x-request-id", KEY),))
    with caplog.at_level(logging.DEBUG):
        problem = problem_with(connect, FakeUpstream(), reply)

    assert problem.server_message == "Bad key ***!"
    assert KEY not in repr(vars(problem)) + str(problem) + caplog.text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Incorrect API key provided: sk-abcde*****wxyz. See", "[masked: api-key]. See"),
        ("No key sk-proj-Ab3dEf6hIj9kLm2nOp5q here", "No key [masked: api-key] here"),
        ("Limit of organization org-Ab3dEf6hIj9kLm2nOp5q on", "of organization [masked: organ"),
        (f"Bad key {KEY[:8]}****{KEY[-4:]}!", "Bad key ***!"),
        ("{'authorization': 'Bearer another-key'}", "'Bearer [masked: authorization]'}"),
        ("at postgresql://me:hun@ter@db/x", "at postgresql://me:[masked: password]@db/x"),
    ],
)
def test_secrets_that_the_server_repeats_are_masked(
    connect: Connect, said: str, shown: str
) -> None:
    body = {"error": {"message": said, "type": said, "param": said, "code": said}}
    problem = problem_with(connect, FakeUpstream(), Reply(400, body))

    for text in (problem.server_message, problem.type, problem.param, problem.code):
        assert text is not None
        assert shown in text


def test_a_key_at_the_edge_of_a_long_message_is_not_shown_in_half(connect: Connect) -> None:
    reply = error(401, "x" * 1990 + KEY)
    problem = problem_with(connect, FakeUpstream(), reply)

    assert problem.server_message == "x" * 1990 + "***"


def test_a_request_id_of_odd_characters_is_dropped(connect: Connect) -> None:
    reply = error(500, "no", x_request_id="a b\u00e9")
    problem = problem_with(connect, FakeUpstream(), reply)

    assert problem.request_id is None


def test_each_exchange_is_one_line_in_the_log(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    fake = FakeUpstream({ID: stored(ID, "a private text")})
    fake.script(PATH, error(500, "a private failure", x_request_id="req_1"))
    with caplog.at_level(logging.INFO, logger="readback.upstream"):
        connect(fake).retrieve_completion(ID)

    lines = [record.getMessage() for record in caplog.records if record.name == "readback.upstream"]
    assert lines[0].startswith(f"GET {PATH} 500 ")
    assert lines[0].endswith(" ms req_1")
    assert lines[1].startswith(f"GET {PATH} 200 ")
    assert "private" not in caplog.text


def test_filters_are_not_logged(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="readback.upstream"):
        connect(FakeUpstream()).list_completions(metadata={"customer": "somebody"})

    assert "GET /chat/completions 200" in caplog.text
    assert "somebody" not in caplog.text


def test_a_redirect_is_not_followed_and_the_key_stays_here(connect: Connect) -> None:
    elsewhere = FakeUpstream({ID: stored(ID, "one")})
    with elsewhere.serve() as base_url:
        target = base_url + PATH
        for status in (301, 302, 303, 307, 308):
            problem = problem_with(
                connect, FakeUpstream(), Reply(status, "", (("Location", target),))
            )
            host = base_url.removeprefix("http://").removesuffix("/v1")
            assert isinstance(problem, Redirected)
            assert f"redirect to {host}." in str(problem)
            assert "key was not sent there" in str(problem)

    assert elsewhere.requests == []


def test_a_redirect_within_the_server_is_not_followed_either(connect: Connect) -> None:
    fake = FakeUpstream({ID: stored(ID, "one")})
    problem = problem_with(connect, fake, Reply(307, "", (("Location", f"/v1{PATH}"),)))

    assert "redirect to 127.0.0.1" in str(problem)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("location", ["", "http://[", "//", "https://ex\u00e4mple.org:99999999/"])
def test_a_redirect_to_nowhere_is_still_a_redirect(connect: Connect, location: str) -> None:
    problem = problem_with(connect, FakeUpstream(), Reply(302, "", (("Location", location),)))

    assert isinstance(problem, Redirected)


@pytest.mark.skipif(not ERRORS.is_file(), reason="no recorded errors beside this checkout")
def test_recorded_errors_of_the_real_api_are_understood(connect: Connect) -> None:
    recorded = [answer for answer in json.loads(ERRORS.read_text()) if answer["status"]]
    assert recorded
    for answer in recorded:
        reply = Reply(answer["status"], answer["body"])
        problem = problem_with(connect, FakeUpstream(), reply)
        said = answer["body"]["error"]["message"]
        # The one secret that was recorded is a key, shortened.
        is_masked = said.startswith("Incorrect API key provided: ")
        shown = re.sub("(?<=provided: )[^ ]+(?=[.] )", "[masked: api-key]", said)
        cause = answer["body"]["error"].get("metadata", {}).get("raw")
        said = f"{said} ({cause})" if cause else said
        assert problem.server_message == (shown if is_masked else said)
        code = answer["body"]["error"]["code"]
        assert problem.code == (None if code is None else str(code))
