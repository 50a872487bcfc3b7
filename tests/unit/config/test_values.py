"""What the value of a single setting may look like."""

import pytest
from pydantic import ValidationError

from ingestor.config.mistakes import example, remedy, shown
from ingestor.config.settings import Settings, variable
from ingestor.config.words import is_secret

FIELDS = Settings.model_fields
NEEDED = {name: example(name) for name, info in FIELDS.items() if info.is_required()}


def accepted(field: str, text: str) -> bool:
    """Whether the field takes the text."""
    try:
        Settings.model_validate(NEEDED | {field: text})
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_has_a_meaning_and_an_example_that_is_valid(field: str) -> None:
    """Remedies show the example, and it stands in for a value that is wrong."""
    assert (FIELDS[field].description or "").endswith(".")
    assert accepted(field, example(field))
    assert remedy(field).endswith(f"for example {variable(field)}={example(field)}")


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost",
        "https://queue.internal:4566/000000000000/readings",
        "http://[::1]:8086",
        "http://127.0.0.1:8086/prefix",
    ],
)
def test_addresses(text: str) -> None:
    """Names, IPv4 and IPv6, with a port and a path or without."""
    assert accepted("influxdb_url", text)


@pytest.mark.parametrize(
    "text",
    [
        "influxdb.internal:8086",
        "ftp://influxdb.internal",
        "http://",
        "http://:8086",
        "http://influxdb.internal:port",
        "http://influxdb.internal:99999",
        "http://influxdb.internal:0",
        "http://[::1",
        "http://user@influxdb.internal",
        "http://:password@influxdb.internal",
        "http://influxdb.internal/?token=abc",
        "http://influxdb.internal/#part",
        "http://influxdb .internal",
        "http://influxdb.internal/\nHost: elsewhere",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """Credentials and queries have no place in an address: they end up in logs."""
    assert not accepted("influxdb_url", text)


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("abc", True),
        ("demo-Device_Meta.Data", True),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/demo", True),
        ("ab", False),
        ("a" * 256, False),
        ("demo/table", False),
        ("arn:aws:sqs:eu-west-1:123456789012:queue", False),
        ("tåble", False),
    ],
)
def test_table_names(text: str, usable: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What DynamoDB takes as a table: its name or its ARN."""
    assert accepted("metadata_table", text) is usable


@pytest.mark.parametrize(
    ("field", "text", "usable"),
    [
        ("influxdb_token", "user:pass word==", True),
        ("influxdb_token", "two\r\nlines", False),
        ("influxdb_token", "tökén", False),
        ("influxdb_password", "pässwörd", True),
        ("influxdb_password", "two\nlines", False),
    ],
)
def test_secrets(field: str, text: str, usable: bool) -> None:  # noqa: FBT001 - see above
    """A token travels in a header: more than one line of ASCII would split it."""
    assert accepted(field, text) is usable


@pytest.mark.parametrize(
    ("field", "text", "usable"),
    [
        ("batch_seconds", "0.01", True),
        ("batch_seconds", "nan", False),
        ("batch_seconds", "inf", False),
        ("batch_seconds", "0.001", False),
        ("pollers", "64", True),
        ("pollers", "65", False),
        ("pollers", "1.5", False),
        ("metadata_key_attribute", "x" * 256, False),
        ("no_such_field", "x", False),
    ],
)
def test_numbers_and_lengths(field: str, text: str, usable: bool) -> None:  # noqa: FBT001 - see above
    """Limits hold at both ends."""
    assert accepted(field, text) is usable


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("influxdb_url", "an http:// or https:// address without user, password and query"),
        ("influxdb_api", "one of v2, v1"),
        ("pollers", "a whole number from 1 to 64"),
        ("batch_seconds", "a number from 0.01 to 60"),
        ("mapping_file", "the path of a readable text file"),
        ("metadata_key_attribute", "a text of at most 255 characters"),
        ("influxdb_org", "a text"),
        ("influxdb_token", "one line of printable ASCII characters"),
    ],
)
def test_what_is_expected_is_told_in_words(field: str, expected: str) -> None:
    """The words come from the limits themselves."""
    assert remedy(field).startswith(f"Set it to {expected}, for example ")


def test_what_is_secret_is_known_by_its_type() -> None:
    """Nobody has to remember to list a new secret."""
    secrets = {field for field, info in FIELDS.items() if is_secret(info)}
    assert secrets == {"influxdb_token", "influxdb_password", "console_influxdb_token"}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("influxdb_token", "abc\n", "4 characters, not shown because they are secret"),
        ("influxdb_token_file", "abc", "3 characters, not shown because they may be the secret"),
        ("influxdb_url", "http://me:secret@there", "'http://…@there'"),
        ("influxdb_url", "me:se@cret@there", "'…@there'"),
        ("influxdb_url", "http://there?token=secret", "'http://there…'"),
        ("influxdb_url", "http://there#secret", "'http://there…'"),
        ("queue_url", "a\x1b[1mb", "'a\\x1b[1mb'"),
        ("queue_url", "a" * 61, f"'{'a' * 60}…'"),
        ("mapping_file", "/etc/mapping.toml", "'/etc/mapping.toml'"),
    ],
)
def test_a_value_is_shown_without_its_secrets(field: str, value: str, expected: str) -> None:
    """Neither secrets, nor credentials where none belong, nor control characters."""
    assert shown(field, value) == expected
