"""The head of a reply of the usual form, read without a parser."""

import re

MOST_HEADER_BYTES = 64 * 1024

# Quantifiers that never give back: a head is read once, whatever it holds.
_OTHERS = (
    rb"(?:(?!content-length|transfer-encoding|connection|\r)[^\r\n]*+\r\n"
    rb"|connection: keep-alive\r\n)*+"
)
_HEAD = re.compile(
    rb"HTTP/1\.1 200 [^\r\n]*+\r\n"
    + _OTHERS
    + rb"content-length:[ \t]*+(\d{1,9})[ \t]*+\r\n"
    + _OTHERS
    + rb"\r\n",
    re.IGNORECASE,
)


def plain_body(data: bytes) -> tuple[int, int] | None:
    """Where the body of a reply begins in its first bytes, and how long it is.

    None when the head is not whole yet, or not that of a 200 which announces its length and keeps
    the connection: a parser has to read it then, as whatever it might read in another way.
    """
    head = _HEAD.match(data, 0, MOST_HEADER_BYTES)
    return None if head is None else (head.end(), int(head[1]))
