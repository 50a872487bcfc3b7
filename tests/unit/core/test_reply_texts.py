"""What is read in replies of InfluxDB, whatever they mean: texts, times to wait, reasons."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.message import Reason
from ingestor.core.replies import (
    MOST_CHARACTERS,
    Meaning,
    Reply,
    judge,
    reason_for,
    retry_after_seconds,
)


def test_texts_are_short_and_printable() -> None:
    """A line of a megabyte is quoted whole, and the reply may have been cut anywhere."""
    text = judge(Reply(400, b'{"error":"unable to parse \'\\r\\u0000\x01' + b"x" * 10**6)).text

    assert len(text) == MOST_CHARACTERS
    assert text.startswith("unable to parse '   xx")
    assert text.endswith("x…")


@pytest.mark.parametrize("end", ["\\", "\\u", "\\u00", "\\ud800", "\\q", "é", "\\n"])
def test_a_reply_may_end_within_an_escape(end: str) -> None:
    """What is not a whole escape is left out or shown as it is; the result can be encoded."""
    judgement = judge(Reply(400, f'{{"error":"unable to parse {end}'.encode()))

    assert judgement.meaning is Meaning.REFUSED
    assert judgement.text.encode().startswith(b"unable to parse")


def test_secrets_are_masked() -> None:
    """Even a server that repeats the request's headers does not bring them into a log."""
    text = "engine failed: Authorization: Token s3cret, " + "x" * 240 + "s3cret-cut"
    reply = Reply(500, json.dumps({"error": text}).encode())

    judgement = judge(reply, secrets=["s3cret", ""])

    assert "s3cr" not in judgement.text
    assert "Token ***, x" in judgement.text


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Tue, 24 Nov 2026 14:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 13:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2026 14:00:30", None),
        ("-7", None),
        ("1e3", None),
        ("nan", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_reads_what_the_reply_asks_for(retry_after: str | None, seconds: float | None) -> None:
    """Seconds, or a date compared with the reply's own; what is junk asks for nothing."""
    reply = Reply(503, retry_after=retry_after, date="Tue, 24 Nov 2026 14:00:00 GMT")

    assert retry_after_seconds(reply) == seconds
    assert judge(reply).retry_after_seconds == seconds


@pytest.mark.parametrize("date", [None, "", "now"])
def test_a_date_needs_another_to_be_compared_with(date: str | None) -> None:
    """Without the reply's own date, nothing is asked for."""
    reply = Reply(503, retry_after="Tue, 24 Nov 2026 14:00:30 GMT", date=date)

    assert retry_after_seconds(reply) is None


@given(
    status=st.integers(100, 599),
    body=st.binary() | st.text().map(lambda text: json.dumps({"error": text}).encode()),
    retry_after=st.none() | st.text(),
    date=st.none() | st.text(),
)
def test_any_reply_has_a_meaning(
    status: int, body: bytes, retry_after: str | None, date: str | None
) -> None:
    """Whatever comes: only 204 is stored, nothing is raised, and the text can be sent on."""
    judgement = judge(Reply(status, body, retry_after, date))

    assert (judgement.meaning is Meaning.STORED) == (status == 204)
    assert len(judgement.text.encode()) <= 4 * MOST_CHARACTERS
    assert judgement.text.isprintable()


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ('partial write: field type conflict: input field "f" on', Reason.FIELD_TYPE_CONFLICT),
        ('field type conflict: input field "f" on measurement', Reason.FIELD_TYPE_CONFLICT),
        ("partial write: points beyond retention policy dropped=1", Reason.BEYOND_RETENTION),
        (
            "failure writing points to database: partial write: dropped 1 points outside retention",
            Reason.BEYOND_RETENTION,
        ),
        (
            "partial write: max-values-per-tag limit exceeded (100000/100000)",
            Reason.TOO_MANY_SERIES,
        ),
        ("unable to parse 'field type conflict': missing fields", Reason.REFUSED_BY_INFLUXDB),
        ("", Reason.REFUSED_BY_INFLUXDB),
    ],
)
def test_a_line_is_refused_for_a_reason(detail: str, reason: Reason) -> None:
    """The reason is found in the first words, never in what they quote."""
    assert reason_for(detail) is reason
