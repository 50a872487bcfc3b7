"""Messages as devices write them, and as the rule hands them to the queue."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import cbor2
import msgspec

from loadtest.devices.describe import Format
from loadtest.devices.signals import Scalar
from loadtest.devices.simulated import Sample, SimulatedDevice

_MS = 1_000
_json = msgspec.json.Encoder().encode

Extra = Mapping[str, Any]
"""Members that a message has besides its own, or instead of them."""


def write(device: SimulatedDevice, sample: Sample, extra: Extra) -> bytes:
    """The message with one reading; `extra` replaces or adds members."""
    return _WRITERS[device.kind.format](device, sample, extra)


def into_queue(payload: bytes, topic: str, received_at_ms: int, *, is_json: bool) -> bytes:
    """The body of the message that the rules of the local stack make of a payload.

    A payload that is no JSON object comes through as it is, broken.
    """
    envelope = b'"topic":"%b","received_at":%d}' % (topic.encode(), received_at_ms)
    if not is_json:
        return b'{"data":"%b",%b' % (base64.b64encode(payload), envelope)
    if not payload.endswith(b"}"):
        return payload
    return b"%b,%b" % (payload[:-1], envelope)


def _values(device: SimulatedDevice, sample: Sample) -> dict[str, Scalar]:
    return {
        field.name: value for field, value in zip(device.kind.fields, sample.values, strict=True)
    }


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Names with a point are members of members."""
    if not any("." in name for name in values):
        return dict(values)
    message: dict[str, Any] = {}
    for name, value in values.items():
        outer, _, inner = name.partition(".")
        if inner:
            message.setdefault(outer, {})[inner] = value
        else:
            message[name] = value
    return message


def _simulator(device: SimulatedDevice, sample: Sample, extra: Extra) -> bytes:
    """As the IoT Device Simulator writes it: whole seconds, no zone, an `_id_` in every message."""
    moment = datetime.fromtimestamp(sample.time_ms // _MS, UTC)
    message = {
        **_values(device, sample),
        "sensordatetime": moment.strftime("%Y-%m-%dT%H:%M:%S"),
        "deviceid": device.device_id,
        "clientid": device.client_id,
        "metakey": device.record.key,
        "sequence": sample.sequence,
        **extra,
        "_id_": device.device_id,
    }
    return _json(_nested(message))


def _plain(device: SimulatedDevice, sample: Sample, extra: Extra) -> dict[str, Any]:
    message = {
        "device": device.sensor,
        "sequence": sample.sequence,
        "metakey": device.record.key,
        "time": sample.time_ms,
        **_values(device, sample),
        **extra,
    }
    return _nested(message)


def _as_json(device: SimulatedDevice, sample: Sample, extra: Extra) -> bytes:
    return _json(_plain(device, sample, extra))


def _as_cbor(device: SimulatedDevice, sample: Sample, extra: Extra) -> bytes:
    return cbor2.dumps(_plain(device, sample, extra))


def _as_senml(device: SimulatedDevice, sample: Sample, extra: Extra) -> bytes:
    values = {**_values(device, sample), **extra}
    time = values.pop("time", sample.time_ms / _MS)
    pack: list[dict[str, Any]] = [
        {"bn": device.sensor, "bt": time, "n": "sequence", "v": sample.sequence},
        {"n": "metakey", "vs": device.record.key},
    ]
    pack += [
        {"n": name, "vs" if isinstance(value, str) else "v": value}
        for name, value in values.items()
    ]
    return _json(pack)


_WRITERS: Mapping[Format, Callable[[SimulatedDevice, Sample, Extra], bytes]] = {
    Format.SIMULATOR: _simulator,
    Format.JSON: _as_json,
    Format.SENML: _as_senml,
    Format.CBOR: _as_cbor,
}
