"""What to do about a message that is refused, for whoever writes the mapping."""

from ingestor.core.message import Reason

HINTS: dict[Reason, str] = {
    Reason.NO_ROUTE: "Add a route with this topic, or a last one without `topics` and `where`.",
    Reason.NO_PAYLOAD: "See where the rule puts the payload; `path` in [routes.payload] names it.",
    Reason.BAD_ENCODING: "`unpack` in [routes.payload] names each step, the outermost first.",
    Reason.TOO_LARGE: "Raise `unpacked_bytes` in [limits] if messages may be that large.",
    Reason.TOO_DEEP: "Raise `depth` in [limits] if messages may be nested that deep.",
    Reason.NOT_JSON: "Is it another format? `format` in [routes.payload] says so.",
    Reason.NOT_CBOR: "Is it another format, or packed? See `format` and `unpack`.",
    Reason.NOT_MESSAGEPACK: "Is it another format, or packed? See `format` and `unpack`.",
    Reason.NOT_SENML: "RFC 8428 says what a pack looks like; other JSON has the format json.",
    Reason.NOT_A_SHADOW: "Subscribe the rule to update/documents or update/accepted.",
    Reason.NOT_AN_OBJECT: 'Of an array of readings say readings = "$message" in [routes.payload].',
    Reason.BAD_READINGS: "`readings` and `columns` in [routes.payload] say where readings stand.",
    Reason.NO_READINGS: "An empty message has nothing to store; keep the device from sending it.",
    Reason.TOO_MANY_READINGS: "Raise `readings` in [limits] if messages may hold that many.",
    Reason.BAD_MEASUREMENT: "Take the measurement from something that every message has.",
    Reason.MISSING_TAG: "Give the tag a `default`, or leave `required` out.",
    Reason.BAD_TAG: "A tag is a single text, number or boolean without control characters.",
    Reason.TOO_MANY_TAGS: "`include` in [routes.metadata] chooses attributes; or raise the limit.",
    Reason.MISSING_FIELD: "Give the field a `default`, or leave `required` out.",
    Reason.BAD_FIELD: "Change the `type` of the field, or what the device sends.",
    Reason.TOO_MANY_FIELDS: "`include` and `exclude` of the wildcard choose; or raise the limit.",
    Reason.NO_FIELDS: "Do the paths of the fields fit this message?",
    Reason.MISSING_TIME: "Add where the time stands to `paths` in [routes.time].",
    Reason.BAD_TIME: "Name the place of a time in `paths`; `unit` says what a number counts.",
    Reason.TIME_OUT_OF_RANGE: "Is the unit right? `past_days` and `future_days` set the window.",
    Reason.BAD_METADATA_KEY: "Name a text or number that DynamoDB can have as a key.",
    Reason.NO_METADATA: 'Add the record, give it by --metadata, or say missing = "write".',
    Reason.REFUSED_BY_INFLUXDB: "Compare the type of the field with what is stored already.",
    Reason.LINE_TOO_LARGE: "Store fewer or shorter texts.",
    Reason.INTERNAL_ERROR: "This is a defect of the ingestor; please report it with the message.",
}
"""One sentence for each reason."""
