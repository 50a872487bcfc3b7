"""Settings whose text comes from a file."""

from pathlib import Path

import pytest

from ingestor.config import ConfigError, load
from ingestor.core.mapping import DEFAULT_MAPPING

SETTINGS = {
    "INGESTOR_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/readings",
    "INGESTOR_METADATA_TABLE": "demo-DeviceMetaData",
    "INGESTOR_INFLUXDB_URL": "http://influxdb.internal:8086",
    "INGESTOR_INFLUXDB_ORG": "factory",
    "INGESTOR_INFLUXDB_BUCKET": "readings",
}
TOKEN_FILE = "INGESTOR_INFLUXDB_TOKEN_FILE"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test can put a text."""
    return tmp_path / "file"


def mistakes_in(**more: str) -> list[str]:
    """What is wrong when these variables are set besides."""
    with pytest.raises(ConfigError) as caught:
        load(SETTINGS | more)
    return caught.value.mistakes


def test_secrets_and_the_mapping_can_come_from_files(file: Path, tmp_path: Path) -> None:
    """The line end that editors add does not belong to a token."""
    file.write_text("very-secret\n")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(DEFAULT_MAPPING.replace("pressure", "druck"))

    settings = load(SETTINGS | {TOKEN_FILE: str(file), "INGESTOR_MAPPING_FILE": str(mapping)})

    assert settings.influxdb_token is not None
    assert settings.influxdb_token.get_secret_value() == "very-secret"
    assert 'measurement = "druck"' in settings.mapping


def test_a_file_and_the_value_itself_are_a_mistake(file: Path) -> None:
    """Which of the two was meant cannot be known."""
    file.write_text("one")

    assert mistakes_in(**{TOKEN_FILE: str(file), "INGESTOR_INFLUXDB_TOKEN": "another"}) == [
        (
            f"{TOKEN_FILE} and INGESTOR_INFLUXDB_TOKEN are both set. "
            "Keep one of them and unset the other"
        )
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b" \n", "it is empty"),
        (b"\xff\xfe", "it is not text in UTF-8"),
        (b"x" * (1024**2 + 1), "it is larger than 1048576 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    file: Path, content: bytes | None, reason: str
) -> None:
    """The reason, and what to do; the other mistakes are found all the same."""
    if content is not None:
        file.write_bytes(content)

    first, second = mistakes_in(
        INGESTOR_INFLUXDB_TOKEN="token", INGESTOR_MAPPING_FILE=str(file), INGESTOR_WRITERS="0"
    )

    assert first.startswith("INGESTOR_MAPPING_FILE names a file that cannot be read: ")
    assert f": {reason}. Name a text file" in first
    assert first.endswith("for example INGESTOR_MAPPING_FILE=/etc/ingestor/mapping.toml")
    assert second.startswith("INGESTOR_WRITERS cannot be used: '0'")


def test_a_secret_in_the_place_of_its_file_is_not_shown() -> None:
    """It happens: the token itself is given where the name of its file belongs."""
    (mistake,) = mistakes_in(**{TOKEN_FILE: "very-secret"})

    assert "very-secret" not in mistake
    assert "No such file or directory" in mistake


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5000])
def test_a_name_that_no_file_can_have_is_a_mistake_like_any_other(name: str) -> None:
    """The operating system refuses it, the configuration says so."""
    (mistake,) = mistakes_in(INGESTOR_INFLUXDB_TOKEN="token", INGESTOR_MAPPING_FILE=name)

    assert mistake.startswith("INGESTOR_MAPPING_FILE names a file that cannot be read: ")


def test_what_a_file_holds_is_checked_like_a_value(file: Path) -> None:
    """The mistake names the variable of the file, and shows no secret."""
    file.write_text("very\nsecret")

    (mistake,) = mistakes_in(**{TOKEN_FILE: str(file)})

    assert mistake.startswith(f"{TOKEN_FILE} cannot be used: 11 characters, not shown")
