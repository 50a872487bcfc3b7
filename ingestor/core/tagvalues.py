"""What a metadata record contributes as tags."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def tag_values(item: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The scalar attributes of a DynamoDB item as text.

    `item` is in DynamoDB's typed form, `{"family": {"S": "sensors"}}`. The rule:

    - a string is itself, a number is the text that DynamoDB keeps (without trailing zeros),
      a boolean is `true` or `false`;
    - a set of strings or numbers is its sorted members, joined by commas;
    - everything else (null, binary, list, map) and every empty text is left out.
    """
    values = {}
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        text = _text(kind, value)
        if text:
            values[name] = text
    return values


class SharedTexts:
    """Makes equal texts of many records one object: a fleet has few manufacturers.

    With `most` texts it begins anew: texts that differ in every record do not fill the memory.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._known: dict[str, str] = {}
        self._most = most

    def of(self, values: Mapping[str, str]) -> dict[str, str]:
        """The same names and values."""
        known = self._known
        if len(known) >= self._most:
            known.clear()
        return {
            known.setdefault(name, name): known.setdefault(value, value)
            for name, value in values.items()
        }


def _text(kind: str, value: Any) -> str:
    match kind:
        case "S" | "N":
            return str(value)
        case "BOOL":
            return "true" if value else "false"
        case "SS":
            return ",".join(sorted(value))
        case "NS":
            return ",".join(sorted(value, key=Decimal))
        case _:
            return ""
