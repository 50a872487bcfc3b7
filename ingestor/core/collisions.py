"""Readings that overwrite one another. InfluxDB takes them all, and says nothing of it."""

import re
from collections.abc import Sequence
from operator import itemgetter

_last_digits = itemgetter(slice(-10, None))
_FIELD = re.compile(rb'((?:[^\\,=]|\\.)+)=("(?:[^"\\]|\\.)*"|[^,]*),?', re.DOTALL)
_BACKSLASH = ord("\\")


def collisions(lines: Sequence[bytes]) -> int:
    """How many of these lines overwrite a value of another: same series, time and field.

    Not counted is a line that says the same once more, as a redelivery does, nor one that adds
    other fields to a point.
    """
    # Done for every batch: in one that has none a look at the last digits of the moments, or
    # besides at the series up to its first space, mostly tells so.
    if len(set(map(_last_digits, lines))) == len(lines):
        return 0
    lines = list(dict.fromkeys(lines))  # what says the same once more is no collision
    if len({line.partition(b" ")[0] + line[-10:] for line in lines}) == len(lines):
        return 0
    first: dict[tuple[bytes, bytes], bytes] = {}
    points: dict[tuple[bytes, bytes], dict[bytes, bytes]] = {}
    count = 0
    for line in lines:
        end = line.index(b" ")
        while line[end - 1] == _BACKSLASH:
            end = line.index(b" ", end + 1)
        fields, _, moment = line[end + 1 :].rpartition(b" ")
        place = (line[:end], moment)
        before = first.setdefault(place, fields)
        if before == fields:
            continue
        if place not in points:
            points[place] = dict(_FIELD.findall(before))
        point, values = points[place], dict(_FIELD.findall(fields))
        count += any(point.get(name, value) != value for name, value in values.items())
        point |= values
    return count
