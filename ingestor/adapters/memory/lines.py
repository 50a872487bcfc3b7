"""Line protocol, read back: enough to know what one line stores."""

import re
from dataclasses import dataclass

_KEY = r"(?:\\[^\n]|[^\\,= \n])+"
_MEASUREMENT = r"(?:\\[^\n]|[^\\,= \n]|=)+"
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VALUE = rf'(?:"(?:\\.|[^"\\])*"|{_NUMBER}|-?\d+[iu]|[tTfF]|[tT]rue|TRUE|[fF]alse|FALSE)'
_FIELD = re.compile(rf"({_KEY})=({_VALUE})(?:,|$)", re.DOTALL)
_TAG = re.compile(rf",({_KEY}={_KEY})")
_LINE = re.compile(
    rf"({_MEASUREMENT})((?:,{_KEY}={_KEY})*) +({_KEY}={_VALUE}(?:,{_KEY}={_VALUE})*)(?: +(-?\d+))?",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\([,= ])")
_ESCAPED_TEXT = re.compile(r'\\(["\\])')

Value = float | int | bool | str


@dataclass(slots=True, frozen=True)
class Point:
    """One line: `series` is the escaped measurement and tags, sorted; `time_ns` may be absent."""

    measurement: str
    series: str
    time_ns: int | None
    fields: dict[str, Value]


def parse_line(line: bytes) -> Point | None:
    """The point that a line stores; None for a comment. Raises ValueError if it cannot be read."""
    text = line.decode()
    if text.startswith("#"):
        return None
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError("unable to parse the line")
    measurement, tags, fields, time = match.groups()
    return Point(
        measurement=measurement,
        series=",".join([measurement, *sorted(_TAG.findall(tags))]),
        time_ns=None if time is None else int(time),
        fields={_ESCAPED.sub(r"\1", key): _value(value) for key, value in _FIELD.findall(fields)},
    )


def _value(text: str) -> Value:
    if text.startswith('"'):
        return _ESCAPED_TEXT.sub(r"\1", text[1:-1])
    if text[0] in "tTfF":
        return text[0] in "tT"
    if text[-1] in "iu":
        return int(text[:-1])
    return float(text)
