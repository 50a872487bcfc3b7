"""The mapping of the local stack: the built-in one, and the sequence number as a field."""

from ingestor.core.mapping import DEFAULT_MAPPING

_FIELDS = "[routes.fields]\n"
_SEQUENCE = 'sequence = { path = "sequence", type = "integer" }\n'

MAPPING = DEFAULT_MAPPING.replace(_FIELDS, _FIELDS + _SEQUENCE)
MEASUREMENT = "pressure"
