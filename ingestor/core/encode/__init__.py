"""From messages to lines of InfluxDB line protocol, as a mapping says."""

from msgspec import MsgspecError

from ingestor.core.decode.texts import decode_json, read_json
from ingestor.core.decode.unpack import unpack
from ingestor.core.encode.choose import Chooser
from ingestor.core.encode.explain import Part, explain
from ingestor.core.encode.route import RouteEncoder
from ingestor.core.mapping import Mapping
from ingestor.core.message import Reason, Rejected, Stage
from ingestor.core.opened import Opened

__all__ = ["Encoder", "Part", "RouteEncoder", "explain"]

ENVELOPE = "base64OriginalPayload"
"""The member of an IoT error action's message that holds what the device published."""


class Encoder:
    """A mapping, compiled. Keeps the escaped `measurement,tag=…` of the series it has seen.

    `of_text` is the short way of most messages, see `TextLine`; None where the mapping has none.
    """

    def __init__(self, mapping: Mapping, *, prefix_cache_size: int = 200_000) -> None:
        limits = mapping.limits
        self.routes = tuple(
            RouteEncoder(
                f"routes[{n}]",
                route,
                limits,
                topic=mapping.topic,
                cache_size=prefix_cache_size // len(mapping.routes),
            )
            for n, route in enumerate(mapping.routes)
        )
        self._limits = limits
        self._depth = limits.depth
        self._choose = Chooser(self.routes)
        self._topic = mapping.topic
        self._received_at = mapping.received_at
        self._opens_envelopes = mapping.error_actions
        # The way of most messages is short: one route, which takes JSON as it is.
        first = self.routes[0]
        is_plain = first.rule.takes_all and first.reader.is_plain and not mapping.error_actions
        self._plain = first if is_plain else None
        self.of_text = first.of_text if is_plain else None

    def open(self, text: str, *, sent_at_ms: int) -> tuple[RouteEncoder, Opened]:
        """The route of a message, and its readings: at least one.

        Raises:
            Rejected: no route takes it, or it cannot be read as its route says.
        """
        # An object without another brace or bracket in its text is not nested.
        if self._plain is not None and "{" not in text[1:] and "[" not in text:
            try:
                body = decode_json(text)
            except (MsgspecError, UnicodeError):
                body = None  # what is wrong is found out below
            if body.__class__ is dict:
                return self._plain, Opened(body, body, body.get(self._topic), [body])
        return self._open(text, sent_at_ms)

    def _open(self, text: str, sent_at_ms: int) -> tuple[RouteEncoder, Opened]:
        """The way of all other messages."""
        body = None
        problem = None
        try:
            body = read_json(text, self._depth)
        except Rejected as rejection:
            if rejection.reason is not Reason.NOT_JSON:
                raise
            problem = rejection
        topic = None
        now_ms = sent_at_ms
        if body.__class__ is dict:
            topic = body.get(self._topic)
            topic = topic if isinstance(topic, str) else None
            received_at = body.get(self._received_at)
            if received_at.__class__ is int and received_at > 0:
                now_ms = received_at
            if self._opens_envelopes and isinstance(original := body.get(ENVELOPE), str):
                payload = unpack(original.encode(), ("base64",), self._limits.unpacked_bytes)
                return self.open_payload(payload, topic, sent_at_ms=now_ms)
        route = self._choose(body, topic)
        if route is None or (problem and route.reader.is_json):
            raise problem or _no_route(topic)
        message, readings = route.reader.of_message(body, text, now_ms)
        return route, Opened(body, message, topic, readings)

    def open_payload(
        self, payload: bytes, topic: str | None, *, sent_at_ms: int
    ) -> tuple[RouteEncoder, Opened]:
        """The same of what a device published, before any rule.

        Raises:
            Rejected: no route takes it, or it cannot be read as its route says.
        """
        try:
            body = read_json(payload, self._limits.depth)
        except Rejected:
            body = None  # it need not be JSON; its route will say
        if body.__class__ is dict and topic is not None:
            body = {**body, self._topic: topic}
        route = self._choose(body, topic)
        if route is None:
            raise _no_route(topic)
        message, readings = route.reader.of_device(body, payload, sent_at_ms)
        return route, Opened(body, message, topic, readings)


def _no_route(topic: str | None) -> Rejected:
    what = "it has no topic" if topic is None else f"its topic is {topic[:100]!r}"
    return Rejected(Stage.DECODE, Reason.NO_ROUTE, f"no route takes this message: {what}")
