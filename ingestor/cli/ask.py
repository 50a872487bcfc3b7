"""Asking a running ingestor over HTTP, without a client library and its start-up time."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 1024**2


class NoAnswer(Exception):
    """There is no ingestor there, or it does not answer as one; says why in a sentence."""


class NotAnAddress(Exception):
    """What was given is not an http:// or https:// address."""


def ask(url: str, path: str) -> bytes:
    """The body of the answer to GET `path` below `url`; no proxy, no redirects.

    Raises:
        NoAnswer: when it cannot be reached, or the answer is not a 200.
        NotAnAddress: when `url` is none.
    """
    connection, prefix = _connection(url)
    try:
        connection.request("GET", prefix + path)
        reply = connection.getresponse()
        body = reply.read(_MOST_BYTES)
    except (OSError, HTTPException, UnicodeError) as exc:  # the last: a host like "a..b"
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else type(exc).__name__
        raise NoAnswer(f"no answer from {url}: {why}") from exc
    finally:
        connection.close()
    if reply.status != 200:  # noqa: PLR2004 - the status that means an answer
        raise NoAnswer(f"{url} answered with status {reply.status}: it is not a running ingestor")
    return body


def _connection(url: str) -> tuple[HTTPConnection, str]:
    """A connection that is not open yet, and the path of `url`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise NotAnAddress(str(exc)) from exc
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotAnAddress("give an http:// or https:// address")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname, port, timeout=_TIMEOUT_SECONDS), parts.path.rstrip("/")
