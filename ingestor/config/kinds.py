"""What a value of a setting has to look like, checked and told in words."""

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr


@dataclass(slots=True, frozen=True)
class Expected:
    """What is expected, in words that complete the sentence "set it to …"."""

    text: str


def _http_address(value: str) -> str:
    """An address without the parts that an endpoint has no use for, secrets among them."""
    parts = urlsplit(value)  # both this and `port` raise ValueError
    usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not usable or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError
    if " " in value or not value.isprintable():
        raise ValueError
    return value.rstrip("/")


def _table_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}|arn:[\w-]+:dynamodb:[\w:/.-]+", value, re.ASCII):
        raise ValueError
    return value


def _token(value: SecretStr) -> SecretStr:
    # It travels in a request header, where anything else is refused or splits the header.
    secret = value.get_secret_value()
    if not (secret.isascii() and secret.isprintable()):
        raise ValueError
    return value


def _password(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().isprintable():
        raise ValueError
    return value


HttpAddress = Annotated[
    str,
    Expected("an http:// or https:// address without user, password and query"),
    AfterValidator(_http_address),
]
TableName = Annotated[
    str,
    Expected("a table name (3 to 255 letters, digits, `_`, `-`, `.`) or a table ARN"),
    AfterValidator(_table_name),
]
Token = Annotated[
    SecretStr, Expected("one line of printable ASCII characters"), AfterValidator(_token)
]
Password = Annotated[
    SecretStr, Expected("one line of printable characters"), AfterValidator(_password)
]
AnyCase = BeforeValidator(str.lower)
"""For words of which only the lower-case form is used further on."""
