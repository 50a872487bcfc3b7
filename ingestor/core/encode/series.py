"""Measurement and tags of a line, compiled from the mapping."""

from collections.abc import Container
from typing import Any

from ingestor.core.encode.texts import rejected, tag_text, text_of
from ingestor.core.mapping.model import Limits, Route
from ingestor.core.mapping.names import name_filter, unusable_measurement, unusable_name
from ingestor.core.message import Reason
from ingestor.core.metadata import Metadata
from ingestor.core.opened import Opened
from ingestor.core.prefix import PrefixCache, escape_measurement, escape_name, unusable_tag_value

MOST_KEY_BYTES = 65_535
"""Longest measurement with tags (InfluxDB: `max key length exceeded`)."""

Values = tuple[str, ...]
"""The measurement if it is no constant, then for each tag rule the value, empty if left out."""


class SeriesEncoder:
    """Gives the escaped `measurement,tag=…` of readings, and remembers it.

    Nearly every record belongs to one series, which it remembers itself, as `(mark, *values,
    prefix)`: of a million devices hardly any is in a cache of the processor, and that way few
    objects are looked at. All other series are in `known`.
    """

    def __init__(self, route: Route, limits: Limits, *, cache_size: int) -> None:
        self._limits = limits
        self.tags = [tag_text(name, rule) for name, rule in route.tags.items()]
        self._measurement = route.measurement.constant
        self._measurement_places = route.measurement.places
        self._texts = list(self.tags)
        if self._measurement is None:
            self._texts.insert(0, text_of(route.measurement, Reason.BAD_MEASUREMENT))
        self._names = tuple(route.tags)
        self._not_from_metadata = {*route.tags, *route.fields}
        metadata = route.metadata
        self._wants = name_filter(
            *(metadata.include, metadata.exclude) if metadata else (("*",), ())
        )
        self.mark = object()
        self.known: PrefixCache[str] = PrefixCache(cache_size)
        self._names_from: PrefixCache[frozenset[str]] = PrefixCache(cache_size)

    def values(self, reading: Any, opened: Opened) -> Values:
        """What the reading says about its series.

        Raises:
            Rejected: naming the tag that cannot be used.
        """
        return tuple([text(reading, opened) for text in self._texts])

    def prefix(self, values: Values, record: Metadata | None) -> str:
        """The series, escaped, with its tags in the order of their names.

        Raises:
            Rejected: naming the tag that cannot be used.
        """
        own = None if record is None else record.series
        if own is not None and own[0] is self.mark and own[1:-1] == values:
            prefix: str = own[-1]
            return prefix
        series = (record, *values)
        known = self.known.get(series)
        if known is None:
            known = self._prefix(values, record)
            if record is None or own is not None:
                self.known.put(series, known)
            else:
                record.series = (self.mark, *values, known)
        return known

    def names_from(self, record: Metadata | None) -> Container[str]:
        """The names of the attributes of a record that become tags."""
        if record is None:
            return ()
        names = self._names_from.get(record)
        if names is None:
            names = frozenset(self.attributes(record))
            self._names_from.put(record, names)
        return names

    def attributes(self, record: Metadata | None) -> dict[str, str]:
        """The attributes of a record that become tags.

        What cannot be stored is left out: the reading is worth more than one attribute.
        """
        if record is None:
            return {}
        limits = self._limits
        return {
            name: value
            for name, value in record.attributes.items()
            if name not in self._not_from_metadata
            and self._wants(name)
            and not unusable_name(name)
            and not unusable_tag_value(value)
            and len(name.encode()) <= limits.name_bytes
            and len(value.encode()) <= limits.tag_bytes
        }

    def _prefix(self, values: Values, record: Metadata | None) -> str:
        measurement, own = self._measurement, values
        if measurement is None:
            measurement, own = values[0], values[1:]
        self._check_measurement(measurement)
        tags = self.attributes(record)
        for name, value in zip(self._names, own, strict=True):
            if problem := unusable_tag_value(value):
                raise rejected(Reason.BAD_TAG, f"tag {name}", problem)
            if len(value.encode()) > self._limits.tag_bytes:
                what = f"it is longer than {self._limits.tag_bytes} bytes"
                raise rejected(Reason.BAD_TAG, f"tag {name}", what)
            if value:
                tags[name] = value
        if len(tags) > self._limits.tags:
            what = f"there are {len(tags)}, and at most {self._limits.tags} are allowed"
            raise rejected(Reason.TOO_MANY_TAGS, "tags", what)
        pairs = [f",{escape_name(name)}={escape_name(tags[name])}" for name in sorted(tags)]
        prefix = escape_measurement(measurement) + "".join(pairs)
        if len(prefix.encode()) > MOST_KEY_BYTES:
            what = f"measurement and tags are longer than {MOST_KEY_BYTES} bytes"
            raise rejected(Reason.BAD_TAG, "tags", what)
        return prefix

    def _check_measurement(self, measurement: str) -> None:
        place = self._measurement_places
        if not measurement:
            what = "it is missing or empty, and the measurement needs it"
            raise rejected(Reason.BAD_MEASUREMENT, place, what)
        if problem := unusable_measurement(measurement):
            raise rejected(Reason.BAD_MEASUREMENT, place, problem)
        if len(measurement.encode()) > self._limits.name_bytes:
            what = f"it is longer than {self._limits.name_bytes} bytes"
            raise rejected(Reason.BAD_MEASUREMENT, place, what)
