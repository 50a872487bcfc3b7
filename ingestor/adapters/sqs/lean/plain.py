"""The head of a reply of the usual form, read without a parser."""

MOST_HEADER_BYTES = 64 * 1024
MOST_DIGITS = 9
_STATUS = b"HTTP/1.1 200 "
_LENGTH = b"\r\ncontent-length:"


def plain_body(data: bytes) -> tuple[int, int] | None:
    """Where the body of a reply begins in its first bytes, and how long it is.

    None when the head is not whole yet, or not that of a 200 which announces its length and keeps
    the connection: a parser has to read it then, as whatever it might read in another way.
    """
    end = data.find(b"\r\n\r\n", 0, MOST_HEADER_BYTES)
    if end < 0 or not data.startswith(_STATUS):
        return None
    head = data[: end + 2].lower()
    at = head.find(_LENGTH)
    if (
        at < 0
        or head.count(b"\ncontent-length") != 1
        or b"\ntransfer-encoding" in head
        or (b"\nconnection" in head and b"\r\nconnection: keep-alive\r\n" not in head)
        or head.count(b"\n") != head.count(b"\r\n")
        or head.count(b"\r") != head.count(b"\r\n")
    ):
        return None
    digits = head[at + len(_LENGTH) : head.find(b"\r", at + 2)].strip(b" \t")
    if not digits.isdigit() or len(digits) > MOST_DIGITS:
        return None
    return end + 4, int(digits)
