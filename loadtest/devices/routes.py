"""The mapping and the rules that a fleet's kinds need."""

from collections.abc import Sequence

from loadtest.devices.describe import Format, Kind

DEVICE_TAG = "sensorID"
FIRMWARE = "firmware"
"""The field that appears when devices get a new firmware."""


def fleet_mapping(kinds: Sequence[Kind]) -> str:
    """A mapping with a route for each kind."""
    return "\n".join(map(_route, kinds))


def rule_sql(kind: Kind) -> str:
    """What the rule for a kind of device selects."""
    what = "*" if kind.is_json else "encode(*, 'base64') AS data"
    return f"SELECT {what}, topic() AS topic, timestamp() AS received_at FROM '{kind.topic}'"  # noqa: S608 - IoT SQL of checked names


def _route(kind: Kind) -> str:
    senml = kind.format is Format.SENML
    lines = [
        "[[routes]]",
        f'topics = ["{kind.topic}"]',
        f'measurement = "{kind.measurement}"',
    ]
    if not kind.is_json:
        lines += [
            "[routes.payload]",
            'path = "data"',
            'unpack = ["base64"]',
            f'format = "{kind.format.value}"',
        ]
    tag = {Format.SIMULATOR: 'template = "{deviceid}{clientid}"', Format.SENML: 'path = "bn"'}
    device = tag.get(kind.format, 'path = "device"')
    lines += ["[routes.tags]", f"{DEVICE_TAG} = {{ {device}, required = true }}"]
    lines += ["[routes.fields]"]
    for name, stored, type_ in (
        *((field.name, field.stored, field.kind) for field in kind.fields),
        ("sequence", "sequence", "integer"),
        (FIRMWARE, FIRMWARE, "string"),
    ):
        where = name
        if senml:
            # SenML names may hold points, which a path must not take for members of members.
            member = f'"{name}"' if "." in name else name
            where = f"{'vs' if type_ == 'string' else 'v'}.{member}"
        required = "" if name == FIRMWARE else ", required = true"
        lines.append(f"{stored} = {{ path = '{where}', type = \"{type_}\"{required} }}")
    lines += ["[routes.metadata]", f'key = "{"vs.metakey" if senml else "metakey"}"']
    time = {Format.SIMULATOR: "sensordatetime", Format.SENML: "t"}.get(kind.format, "time")
    lines += ["[routes.time]", f'paths = ["{time}"]', f"spread = {str(kind.whole_seconds).lower()}"]
    if kind.whole_seconds:
        lines.append('envelope = ["topic", "received_at"]')
    return "\n".join([*lines, ""])
