"""JSON and NDJSON."""

from typing import Any

import msgspec

from ingestor.core.decode.plain import check_depth, too_deep
from ingestor.core.message import Reason, Rejected, Stage

decode_json = msgspec.json.Decoder().decode
"""The value of a JSON text, however deep. Raises MsgspecError, UnicodeError, RecursionError."""


def read_json(body: str | bytes, depth: int, *, what: str = "the body") -> Any:
    """The value of a JSON text.

    Strict: NaN, Infinity, numbers beyond the range of a float and lone surrogates are refused, so
    that nothing of the kind comes further. A name that is given twice has its last value.

    Raises:
        Rejected: naming what is wrong, and where.
    """
    try:
        value = decode_json(body)
    except RecursionError as exc:
        raise too_deep(depth) from exc
    except (msgspec.MsgspecError, UnicodeError) as exc:
        if not body.strip():
            raise _not_json(f"{what} is empty") from exc
        # The parser's own words give the place and no part of the body.
        problem = "invalid Unicode" if isinstance(exc, UnicodeError) else str(exc)
        raise _not_json(f"{what} is not JSON: {problem}") from exc
    check_depth(value, depth)
    return value


def read_ndjson(body: bytes, depth: int, most: int) -> list[Any]:
    """The values of a text with one JSON value a line; empty lines do not count.

    Raises:
        Rejected: naming the line that is wrong.
    """
    values: list[Any] = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            if len(values) == most:
                break  # one too many is found out by whoever counts the readings
            values.append(read_json(line, depth, what=f"line {number}"))
    return values


def _not_json(detail: str) -> Rejected:
    return Rejected(Stage.DECODE, Reason.NOT_JSON, detail)
