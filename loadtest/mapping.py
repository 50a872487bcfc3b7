"""The mappings of the local stack."""

from ingestor.core.mapping import DEFAULT_MAPPING
from loadtest.devices import TOPIC
from loadtest.kinds import CBOR_TOPIC, SENML_TOPIC

_FIELDS = "[routes.fields]\n"
_SEQUENCE = 'sequence = { path = "sequence", type = "integer" }\n'
_ROUTE = "[[routes]]\n"

MAPPING = DEFAULT_MAPPING.replace(_FIELDS, _FIELDS + _SEQUENCE)
"""The built-in mapping, and the sequence number as a field."""
MEASUREMENT = "pressure"

MIXED_MAPPING = f"""\
{MAPPING.replace(_ROUTE, f'{_ROUTE}topics = ["{TOPIC}"]{chr(10)}')}
[[routes]]
topics = ["{CBOR_TOPIC}"]
measurement = "{MEASUREMENT}"
[routes.payload]
path = "data"
unpack = ["base64"]
format = "cbor"
readings = "readings"
[routes.tags]
sensorID = {{ path = "$message.sensor", required = true }}
[routes.fields]
pressureValue = {{ path = "p" }}
viscosity = {{ path = "v" }}
sequence = {{ path = "n", type = "integer" }}
[routes.metadata]
key = "$message.key"
[routes.time]
paths = ["t"]

[[routes]]
topics = ["{SENML_TOPIC}"]
measurement = "{MEASUREMENT}"
[routes.payload]
path = "data"
unpack = ["base64"]
format = "senml"
[routes.tags]
sensorID = {{ path = "bn", required = true }}
[routes.fields]
pressureValue = {{ path = "v.pressure" }}
viscosity = {{ path = "v.viscosity" }}
sequence = {{ path = "v.sequence", type = "integer" }}
[routes.metadata]
key = "vs.metakey"
[routes.time]
paths = ["t"]
"""
"""Three kinds of devices, one series each: the same points whichever way they are sent."""
