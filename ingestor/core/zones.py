"""Time zones by name or offset."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)


def parse_zone(text: str) -> tzinfo:
    """`UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.

    Raises:
        ValueError: when it is none of them.
    """
    if text == "UTC":
        return UTC
    if match := _OFFSET.fullmatch(text):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset < timedelta(days=1):
            return timezone(offset if match[1] == "+" else -offset)
    else:
        try:
            return ZoneInfo(text)
        except (OSError, ValueError) as exc:  # ZoneInfoNotFoundError is a KeyError
            raise _unknown() from exc
        except KeyError as exc:
            raise _unknown() from exc
    raise _unknown()


def _unknown() -> ValueError:
    return ValueError("there is no such zone; write UTC, +02:00 or a name such as Europe/Berlin")
