"""What replies of InfluxDB mean. The texts are those that the named versions sent."""

import json

import pytest

from ingestor.core.replies import (
    Meaning,
    Reply,
    judge,
)


def v1(status: int, text: str) -> Reply:
    """A reply in the form of InfluxDB 1.x."""
    return Reply(status, json.dumps({"error": text}).encode() + b"\n")


def v2(status: int, code: str, text: str) -> Reply:
    """A reply in the form of InfluxDB 2.x."""
    return Reply(status, json.dumps({"code": code, "message": text}).encode())


def test_204_alone_is_stored() -> None:
    """It has no text, for there is nothing to say."""
    judgement = judge(Reply(204))

    assert judgement.meaning is Meaning.STORED
    assert judgement.text == ""


@pytest.mark.parametrize("status", [200, 201, 202, 206, 100])
def test_no_other_success_is_stored(status: int) -> None:
    """A proxy's welcome page answers 200, too."""
    assert judge(Reply(status)).meaning is Meaning.LATER


@pytest.mark.parametrize(
    "text",
    [
        "unable to parse 'm v= 1': missing field value",
        "partial write: unable to parse 'm v= 2': missing field value dropped=0",
        (
            'partial write: field type conflict: input field "v" on measurement "m" is type '
            "string, already exists as type float dropped=1"
        ),
        "partial write: points beyond retention policy dropped=1",
        'partial write: invalid tag key: input tag "time" on measurement "m" is invalid dropped=1',
        'partial write: max-values-per-tag limit exceeded (1/1): measurement="m" tag="t" dropped=1',
        "partial write: max-series-per-database limit exceeded: (1000000) dropped=1",
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_what_speaks_of_lines_is_refused(status: int, text: str) -> None:
    """InfluxDB 1.x says each of these with 400; the text is kept for the dead-letter queue."""
    judgement = judge(v1(status, text))

    assert judgement.meaning is Meaning.REFUSED
    assert judgement.text == text


@pytest.mark.parametrize(
    "reply",
    [
        v2(400, "invalid", "unable to parse 'm v= 1': missing field value"),
        v2(
            422,
            "unprocessable entity",
            "failure writing points to database: partial write: field type conflict: input field",
        ),
        v2(
            500,
            "internal error",
            "unexpected error writing points to database: partial write: points beyond retention",
        ),
        v1(400, "write buffer error: parsing for line protocol failed"),
        Reply(400, b"write buffer error: parsing for line protocol failed"),
    ],
    ids=["parse", "conflict", "2.0", "3", "3-plain"],
)
def test_later_versions_refuse_lines_in_other_words(reply: Reply) -> None:
    """InfluxDB 2.0 takes 500 for points out of retention; InfluxDB 3 also writes plain text."""
    assert judge(reply).meaning is Meaning.REFUSED


def test_influxdb_3_says_more_about_the_first_bad_line() -> None:
    """Its general text alone would help nobody who reads the dead letter."""
    line = {"original_line": "m v=", "line_number": 2, "error_message": "No fields were provided"}
    body = {"error": "partial write of line protocol occurred", "data": [line]}
    judgement = judge(Reply(400, json.dumps(body).encode()))

    assert judgement.meaning is Meaning.REFUSED
    assert judgement.text == "partial write of line protocol occurred: No fields were provided"


@pytest.mark.parametrize(
    "text",
    [
        "database is required",
        'invalid precision "zz" (use n, u, ms, s, m or h)',
        "unexpected EOF",
        "EOF",
        "gzip: invalid header",
        "gzipped HTTP body contains an invalid header",
        "unable to read data",
        "timeout",
        "engine: cache-max-memory-size exceeded: (1074767264/1073741824)",
        "partial write: engine: cache-max-memory-size exceeded: (2/1)",
        "Please provide either orgID or org",
    ],
)
def test_a_400_can_be_about_something_else_than_lines(text: str) -> None:
    """Nothing is dead-lettered for a missing setting, a body cut on its way, or a busy server."""
    judgement = judge(v1(400, text))

    assert judgement.meaning is Meaning.LATER
    assert judgement.text == f"InfluxDB answered 400 ({text})"


@pytest.mark.parametrize("quoted", ["timeout", "engine: x", "database is required", "EOF"])
def test_what_a_line_says_does_not_decide(quoted: str) -> None:
    """InfluxDB quotes the line, so a device could otherwise choose what its refusal means."""
    assert judge(v1(400, f"unable to parse '{quoted}': bad")).meaning is Meaning.REFUSED


@pytest.mark.parametrize("status", [400, 422])
def test_unknown_words_of_influxdb_are_unclear(status: int) -> None:
    """Whoever wrote can find out by another write."""
    assert judge(v2(status, "invalid", "not in the mood")).meaning is Meaning.UNCLEAR


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>400 Bad Request</body></html>",
        b"null",
        b'"unable"',
        b'{"detail": "unable to parse"}',
        b'{"error": {"type": 5}}',
        b'{"error": ""}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"Bad Request: unable to parse",
    ],
)
def test_a_400_in_another_form_is_not_influxdbs(body: bytes) -> None:
    """The reason names a proxy and repeats nothing of it."""
    judgement = judge(Reply(400, body))

    assert judgement.meaning is Meaning.LATER
    assert judgement.text == (
        "InfluxDB answered 400 in a form that is not InfluxDB's: does a proxy answer?"
    )


@pytest.mark.parametrize(
    "reply",
    [
        v1(413, "Request Entity Too Large"),
        v2(413, "request too large", "points batch is too large"),
        Reply(413, b"<html>nginx</html>"),
        v1(400, "http: request body too large"),
        v2(400, "invalid", "points batch is too large"),
    ],
)
def test_too_large_is_told_apart(reply: Reply) -> None:
    """From whomever it comes: a smaller body helps."""
    assert judge(reply).meaning is Meaning.TOO_LARGE


@pytest.mark.parametrize(
    "reply",
    [
        Reply(400, b"incoming write was empty"),
        v1(400, "write buffer error: incoming write was empty"),
        v2(400, "invalid", "writing requires points"),
    ],
)
def test_a_body_without_lines_is_told_apart(reply: Reply) -> None:
    """Some versions store nothing with 204, others complain."""
    assert judge(reply).meaning is Meaning.EMPTY


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (
            v1(401, "authorization failed"),
            (
                "InfluxDB answered 401 (authorization failed): "
                "check the token, or the user and password"
            ),
        ),
        (
            v2(403, "forbidden", "insufficient permissions for write"),
            (
                "InfluxDB answered 403 (insufficient permissions for write): "
                "give the token or user the right to write there"
            ),
        ),
        (
            v1(404, 'database not found: "nope"'),
            (
                'InfluxDB answered 404 (database not found: "nope"): '
                "check the address, the API version, and the bucket or database"
            ),
        ),
        (
            Reply(404, b"404 page not found\n"),
            "InfluxDB answered 404: check the address, the API version, and the bucket or database",
        ),
        (
            v1(500, "retention policy not found: nope"),
            "InfluxDB answered 500 (retention policy not found: nope)",
        ),
        (Reply(502, b"<html>"), "InfluxDB answered 502"),
        (Reply(503, b""), "InfluxDB answered 503"),
        (v2(429, "too many requests", "slow down"), "InfluxDB answered 429 (slow down)"),
        (Reply(418), "InfluxDB answered 418"),
        (
            Reply(200, b'{"error": "what"}'),
            "InfluxDB answered 200, and only 204 means stored: does a proxy answer?",
        ),
        (
            Reply(301),
            "InfluxDB answered 301, a redirection, which is not followed: name the final address",
        ),
        (Reply(999), "InfluxDB answered 999"),
    ],
)
def test_the_rest_is_for_later_and_says_what_to_do(reply: Reply, text: str) -> None:
    """Set up wrongly or down: operators put it right, and nothing is lost meanwhile."""
    judgement = judge(reply)

    assert judgement.meaning is Meaning.LATER
    assert judgement.text == text
