"""What a reply of InfluxDB to a write means.

The status alone does not tell. 400 is a line that can never be stored as well as a database that
was not named; between versions and APIs the same refusal is 400 or 422; and what stands between us
and InfluxDB answers in its own ways. So the text decides, by how it begins: further on it quotes
lines, which is to say anything at all.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

from ingestor.core.message import Reason

MOST_BYTES = 64 * 1024
"""How much of a reply's body is worth reading. InfluxDB quotes lines whole, however long."""
MOST_CHARACTERS = 300
"""The length of a text that was made of a reply."""

_MOST_SEARCHED = 2_000
"""Characters of a text that are looked at: it is shortened only after secrets are masked."""


class Meaning(StrEnum):
    """What became of a write."""

    STORED = "stored"
    REFUSED = "refused"
    """Something in the body can never be stored."""
    TOO_LARGE = "too-large"
    EMPTY = "empty"
    """InfluxDB found no line in the body, and calls that an error."""
    UNCLEAR = "unclear"
    """InfluxDB refused in words that are not known here: the lines, or how it was asked."""
    LATER = "later"
    """Nothing is known: down, busy, set up wrongly, or not InfluxDB that answered."""


@dataclass(slots=True, frozen=True)
class Reply:
    """One HTTP response: its status, at least the first `MOST_BYTES` of its body, two headers."""

    status: int
    body: bytes = b""
    retry_after: str | None = None
    date: str | None = None


@dataclass(slots=True, frozen=True)
class Judgement:
    """`text` is a sentence for a person. Unless the meaning is `LATER`, it may quote lines."""

    meaning: Meaning
    text: str
    retry_after_seconds: float | None = None


_PREFIX = "(?:failure|unexpected error) writing points to database: "  # InfluxDB 2.x
_LINES = re.compile(
    rf"({_PREFIX}|write buffer error: )?"
    r"(unable to parse|partial write|parsing (failed|for line protocol)|line protocol|"
    r"field type conflict|points beyond retention|dropped \d+ points|"
    r"invalid (field name|tag key|column type|line protocol)|"
    # Operators can raise these limits, and replay what was dead-lettered. Waiting for that would
    # let the one device with endless tag values stop all others.
    r"max-(values-per-tag|series-per-database) limit)",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(r"http: request body too large|points batch is too large", re.IGNORECASE)
_EMPTY = re.compile(
    r"(write buffer error: )?(incoming write was empty|writing requires points)", re.IGNORECASE
)
_LATER = re.compile(
    # The engine has no memory left, another node is away, or the body was cut on its way.
    rf"({_PREFIX})?(partial write: )?"
    r"(engine: |timeout|write failed|hinted handoff|unable to read data|"
    r"(unexpected )?EOF$|gzip|flate|zlib|read tcp|"
    # Said of the address that we ask at.
    r"database is required|invalid precision|invalid consistency|please provide)",
    re.IGNORECASE,
)
_BY_TEXT = (
    (_LATER, Meaning.LATER),
    (_TOO_LARGE, Meaning.TOO_LARGE),
    (_EMPTY, Meaning.EMPTY),
    (_LINES, Meaning.REFUSED),
)
_BEFORE = rf"({_PREFIX}|write buffer error: )?(partial write: )?"
_REASONS = (
    (re.compile(rf"{_BEFORE}field type conflict", re.IGNORECASE), Reason.FIELD_TYPE_CONFLICT),
    (
        re.compile(rf"{_BEFORE}(points beyond retention|dropped \d+ points)", re.IGNORECASE),
        Reason.BEYOND_RETENTION,
    ),
    (re.compile(rf"{_BEFORE}max-\S+ limit", re.IGNORECASE), Reason.TOO_MANY_SERIES),
)
# Not a JSON parser, because what is read of a long reply ends anywhere.
_STRING = rf'"((?:\\u[0-9a-fA-F]{{4}}|\\[^u]|[^"\\]){{1,{_MOST_SEARCHED}}})'
_TEXT = re.compile(rf'\s*\{{.{{0,200}}?"(?:error|message)"\s*:\s*{_STRING}', re.DOTALL)
_LINE_ERROR = re.compile(rf'"error_message"\s*:\s*{_STRING}')
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)

_ABOUT_CONTENT = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
_PERHAPS_ABOUT_CONTENT = (*_ABOUT_CONTENT, HTTPStatus.INTERNAL_SERVER_ERROR)  # early 2.0
_REMEDIES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: ": check the token, or the user and password",
    HTTPStatus.FORBIDDEN: ": give the token or user the right to write there",
    HTTPStatus.NOT_FOUND: ": check the address, the API version, and the bucket or database",
}


def judge(reply: Reply, *, secrets: Sequence[str] = ()) -> Judgement:
    """What the reply says about the body that was written. `secrets` are masked in its text."""
    said = _said(reply.body)
    meaning = _meaning(reply, said)
    if meaning is Meaning.LATER:
        text = f"InfluxDB answered {reply.status}" + _explained(reply.status, said)
        return Judgement(meaning, _presentable(text, secrets), retry_after_seconds(reply))
    text = (said or _start(reply.body)) + _line_error(reply.body)
    return Judgement(meaning, _presentable(text, secrets))


def reason_for(detail: str) -> Reason:
    """Why a single line was refused, from the text of the judgement on it."""
    for pattern, reason in _REASONS:
        if pattern.match(detail):
            return reason
    return Reason.REFUSED_BY_INFLUXDB


def retry_after_seconds(reply: Reply) -> float | None:
    """What the reply asks for; None when it does not say, or says it in no known form.

    A date is compared with the reply's own, so that a clock which is wrong, here or there, does
    not matter.
    """
    asked = (reply.retry_after or "").strip()
    if _SECONDS.fullmatch(asked):
        return float(asked)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(reply.date or "")
    except (TypeError, ValueError):  # no date, or one with and one without a zone
        return None
    return max(0.0, wait.total_seconds())


def _meaning(reply: Reply, said: str | None) -> Meaning:
    if reply.status == HTTPStatus.NO_CONTENT:
        return Meaning.STORED
    if reply.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Meaning.TOO_LARGE
    if reply.status not in _PERHAPS_ABOUT_CONTENT:
        return Meaning.LATER
    text = said or _start(reply.body)
    for pattern, meaning in _BY_TEXT:
        if pattern.match(text):
            return meaning
    return Meaning.UNCLEAR if said and reply.status in _ABOUT_CONTENT else Meaning.LATER


def _explained(status: int, said: str | None) -> str:
    """What follows the status in the reason to come back later: for logs, so it quotes no lines.

    Where the status speaks of the content, `said` is one of the texts that are known not to.
    """
    text = f" ({said})" if said else ""
    if status in _ABOUT_CONTENT:
        return text or " in a form that is not InfluxDB's: does a proxy answer?"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return ", and only 204 means stored: does a proxy answer?"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ", a redirection, which is not followed: name the final address"
    return text + _REMEDIES.get(status, "")


def _start(body: bytes) -> str:
    return body[:_MOST_SEARCHED].decode(errors="replace")


def _said(body: bytes) -> str | None:
    """The text of an error in InfluxDB's form, a JSON object; None when it is of another form."""
    match = _TEXT.match(body.decode(errors="replace"))
    return _unescaped(match[1]) if match else None


def _line_error(body: bytes) -> str:
    """What InfluxDB 3 says about the first bad line, beside the general text."""
    match = _LINE_ERROR.search(body.decode(errors="replace"))
    return f": {_unescaped(match[1])}" if match else ""


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _presentable(text: str, secrets: Sequence[str]) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    text = "".join(each if each.isprintable() else " " for each in text).strip()
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
