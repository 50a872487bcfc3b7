"""From a message body to the readings in it."""

from typing import Any

import msgspec

from ingestor.core.message import Reason, Rejected, Stage

_DECODER = msgspec.json.Decoder()
_KINDS: dict[type, str] = {
    list: "an array",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def decode(body: str) -> list[dict[str, Any]]:
    """The readings of one message: JSON objects, at least one.

    Strict: NaN, Infinity, numbers beyond the range of a float and lone surrogates are refused, so
    that nothing of the kind comes further. A name that is given twice has its last value.

    Raises:
        Rejected: naming what is wrong, and where.
    """
    try:
        reading = _DECODER.decode(body)
    except RecursionError as exc:
        raise _rejected(Reason.TOO_DEEP, "arrays or objects are nested too deeply") from exc
    except (msgspec.MsgspecError, UnicodeError) as exc:
        if not body.strip():
            raise _rejected(Reason.NOT_JSON, "the body is empty") from exc
        # The parser's own words give the place and no part of the body.
        what = "invalid Unicode" if isinstance(exc, UnicodeError) else str(exc)
        raise _rejected(Reason.NOT_JSON, f"the body is not JSON: {what}") from exc
    if not isinstance(reading, dict):
        kind = _KINDS[type(reading)]
        raise _rejected(Reason.NOT_AN_OBJECT, f"the body is {kind}, not an object")
    return [reading]


def _rejected(reason: Reason, detail: str) -> Rejected:
    return Rejected(Stage.DECODE, reason, detail)
