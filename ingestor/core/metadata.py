"""What is known about a device, as tag values."""

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Metadata:
    """The scalar attributes of one metadata record, already turned into tag text.

    Compared by identity: the encoder keeps the escaped form of a record for as long as
    the cache hands out the same object.
    """

    attributes: dict[str, str] = field(default_factory=dict)
