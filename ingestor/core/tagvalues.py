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
