"""From the body of a queue's message to the readings in it, as a route describes them."""

from collections.abc import Callable
from typing import Any

from ingestor.core.decode.binary import read_cbor, read_messagepack
from ingestor.core.decode.readings import one_reading, readings_at
from ingestor.core.decode.senml import read_senml
from ingestor.core.decode.shadow import read_shadow
from ingestor.core.decode.texts import read_json, read_ndjson
from ingestor.core.decode.unpack import unpack
from ingestor.core.mapping.model import Limits, Payload
from ingestor.core.message import Reason, Rejected, Stage
from ingestor.core.paths import look_up

_READ: dict[str, Callable[[bytes, int], Any]] = {
    "json": lambda payload, depth: read_json(payload, depth, what="the payload"),
    "senml": lambda payload, depth: read_json(payload, depth, what="the payload"),
    "shadow": lambda payload, depth: read_json(payload, depth, what="the payload"),
    "cbor": read_cbor,
    "senml-cbor": read_cbor,
    "messagepack": read_messagepack,
}


class PayloadReader:
    """How one route finds and reads payloads. Compiled once, used for every message."""

    def __init__(self, rule: Payload, limits: Limits) -> None:
        self._rule = rule
        self._limits = limits
        self._steps = rule.path.steps if rule.path else None
        # What a device sent has not been through the rule, which wraps binary in a text.
        self._own_steps = rule.unpack[rule.unpack[:1] in {("base64",), ("hex",)} :]
        self.is_json = self._steps is None and not rule.unpack and rule.format == "json"
        """Whether a message must be JSON to be read."""
        self.is_plain = self.is_json and rule.readings is None
        """Whether a message is one reading as it is."""

    def of_message(self, body: Any, text: str, now_ms: int) -> tuple[Any, list[Any]]:
        """The payload of a message and its readings.

        `body` is the message as JSON, None when it is none; `text` is the message itself.

        Raises:
            Rejected: saying what is wrong, and where.
        """
        found: Any = text
        if self._steps is not None:
            found = look_up(body, self._steps)
            if found is None:
                detail = f"{self._rule.path}: there is nothing, and the payload belongs there"
                raise Rejected(Stage.DECODE, Reason.NO_PAYLOAD, detail)
        elif not self._rule.unpack and body is not None and self._rule.format != "ndjson":
            return self._readings(body, now_ms)
        if isinstance(found, str):
            payload = found.encode(errors="surrogatepass")
            return self._unpacked(payload, self._rule.unpack, now_ms)
        if self._rule.unpack or self._rule.format == "ndjson":
            detail = f"{self._rule.path}: it is not a text, and cannot be unpacked"
            raise Rejected(Stage.DECODE, Reason.BAD_ENCODING, detail)
        return self._readings(found, now_ms)

    def of_device(self, body: Any, payload: bytes, now_ms: int) -> tuple[Any, list[Any]]:
        """The same of what a device published, before any rule; `body` is that as JSON, if it is.

        Raises:
            Rejected: saying what is wrong, and where.
        """
        if self._steps is not None and look_up(body, self._steps) is not None:
            return self.of_message(body, "", now_ms)
        return self._unpacked(payload, self._own_steps, now_ms)

    def _unpacked(
        self, payload: bytes, steps: tuple[str, ...], now_ms: int
    ) -> tuple[Any, list[Any]]:
        limits = self._limits
        payload = unpack(payload, steps, limits.unpacked_bytes)
        if self._rule.format == "ndjson":
            lines = read_ndjson(payload, limits.depth, limits.readings + 1)
            return lines, self._checked(self._split_lines(lines))
        return self._readings(_READ[self._rule.format](payload, limits.depth), now_ms)

    def _readings(self, payload: Any, now_ms: int) -> tuple[Any, list[Any]]:
        rule = self._rule
        if rule.format in {"senml", "senml-cbor"}:
            readings: list[Any] = read_senml(payload, now_ms, group=rule.group)
        elif rule.format == "shadow":
            readings = [read_shadow(payload)]
        elif rule.readings is None:
            readings = one_reading(payload)
        else:
            readings = readings_at(payload, rule.readings, rule.columns)
        return payload, self._checked(readings)

    def _split_lines(self, lines: list[Any]) -> list[Any]:
        rule = self._rule
        if rule.readings is None:
            return [reading for line in lines for reading in one_reading(line)]
        return [each for line in lines for each in readings_at(line, rule.readings, rule.columns)]

    def _checked(self, readings: list[Any]) -> list[Any]:
        if not readings:
            raise Rejected(Stage.DECODE, Reason.NO_READINGS, "there is no reading in the payload")
        if len(readings) > self._limits.readings:
            detail = f"there are more than {self._limits.readings} readings in the payload"
            raise Rejected(Stage.DECODE, Reason.TOO_MANY_READINGS, detail)
        return readings
