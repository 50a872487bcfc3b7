"""How settings go together."""

import pytest

from ingestor.config import ConfigError, load
from ingestor.core.mapping import DEFAULT_MAPPING

V2 = {
    "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/readings",
    "metadata_table": "demo-DeviceMetaData",
    "influxdb_url": "http://influxdb.internal:8086",
    "influxdb_org": "factory",
    "influxdb_bucket": "readings",
    "influxdb_token": "token",
}


def mistakes_in(changes: dict[str, str]) -> list[str]:
    """What is wrong after these changes; an empty value means not set."""
    try:
        load({f"INGESTOR_{name.upper()}": value for name, value in (V2 | changes).items()})
    except ConfigError as error:
        return error.mistakes
    return []


@pytest.mark.parametrize("field", ["influxdb_org", "influxdb_bucket", "influxdb_token"])
def test_v2_needs_organization_bucket_and_token(field: str) -> None:
    """Each that is missing is named."""
    (mistake,) = mistakes_in({field: ""})
    name = f"INGESTOR_{field.upper()}"
    assert mistake.startswith(f"{name} is not set, and the v2 API of InfluxDB needs it. Set it to")


def test_v1_needs_a_database_alone() -> None:
    """What belongs to the other API may stay."""
    assert mistakes_in({"influxdb_api": "v1", "influxdb_database": "readings"}) == []
    (mistake,) = mistakes_in({"influxdb_api": "v1", "influxdb_token": ""})
    assert mistake.startswith("INGESTOR_INFLUXDB_DATABASE is not set, and the v1 API")


def test_user_and_password_come_together_or_not_at_all() -> None:
    """Half of the credentials is a slip."""
    (mistake,) = mistakes_in({"influxdb_username": "me"})
    assert mistake.startswith(
        "INGESTOR_INFLUXDB_PASSWORD is not set, but INGESTOR_INFLUXDB_USERNAME is. Set it to"
    )
    (mistake,) = mistakes_in({"influxdb_password": "secret"})
    assert mistake.startswith("INGESTOR_INFLUXDB_USERNAME is not set, but")
    assert mistake.endswith(", or set neither")
    assert mistakes_in({"influxdb_username": "me", "influxdb_password": "secret"}) == []


def test_dead_letters_go_elsewhere() -> None:
    """The same queue would hand the bad message out again for ever."""
    (mistake,) = mistakes_in({"dead_letter_queue_url": V2["queue_url"] + "/"})
    assert mistake.startswith("INGESTOR_DEAD_LETTER_QUEUE_URL names the queue that is received")
    assert mistakes_in({"dead_letter_queue_url": V2["queue_url"] + "-dead"}) == []


def test_the_last_poll_ends_before_the_time_to_stop_does() -> None:
    """A poll cannot be cut off without making its messages invisible for a while."""
    assert mistakes_in({"receive_wait_seconds": "20", "stop_seconds": "24.5"}) == [
        (
            "INGESTOR_STOP_SECONDS is 24.5, but a stop waits for the last poll "
            "(INGESTOR_RECEIVE_WAIT_SECONDS, 20 s) and 5 s more. "
            "Set it to 25 or more, or lower INGESTOR_RECEIVE_WAIT_SECONDS"
        )
    ]
    assert mistakes_in({"receive_wait_seconds": "20", "stop_seconds": "25"}) == []


def test_every_mistake_of_the_mapping_is_named() -> None:
    """Each names its place; the mapping's own words are the remedy."""
    mistakes = mistakes_in({"mapping": '[[routes]]\nmeasurement = ""\n[routes.fields]\n'})

    assert len(mistakes) == 2
    start = "INGESTOR_MAPPING cannot be used: line"
    assert mistakes[0].startswith(f"{start} 2, routes[0].measurement: ")
    assert mistakes[1].startswith(f"{start} 3, routes[0].fields: ")


def test_sort_keys_of_table_and_mapping_go_together() -> None:
    """Either both know of a sort key or neither does."""
    table = "[routes.metadata]\n"
    sorted_mapping = DEFAULT_MAPPING.replace(table, table + 'sort = "u"\n')

    assert mistakes_in({"mapping": sorted_mapping}) == [
        (
            "INGESTOR_MAPPING has a `sort` in routes[0].metadata, but "
            "INGESTOR_METADATA_SORT_ATTRIBUTE is not set. "
            "Set INGESTOR_METADATA_SORT_ATTRIBUTE to the table's sort key, or leave `sort` out"
        )
    ]
    assert mistakes_in({"metadata_sort_attribute": "unit"}) == [
        (
            "INGESTOR_MAPPING has no `sort` in routes[0].metadata, but "
            "INGESTOR_METADATA_SORT_ATTRIBUTE says that the table has a sort key. "
            "Say where a reading names it, or unset INGESTOR_METADATA_SORT_ATTRIBUTE"
        )
    ]
    assert mistakes_in({"mapping": sorted_mapping, "metadata_sort_attribute": "unit"}) == []


def test_rules_about_a_value_that_is_wrong_itself_wait() -> None:
    """One slip is one mistake, and mistakes elsewhere are still found."""
    mistakes = mistakes_in({"stop_seconds": "soon", "influxdb_api": "v3", "influxdb_org": ""})
    assert [mistake.split()[0] for mistake in mistakes] == [
        "INGESTOR_INFLUXDB_API",
        "INGESTOR_STOP_SECONDS",
    ]

    mistakes = mistakes_in({"stop_seconds": "soon", "influxdb_org": ""})
    assert [mistake.split()[0] for mistake in mistakes] == [
        "INGESTOR_STOP_SECONDS",
        "INGESTOR_INFLUXDB_ORG",
    ]


def test_issuer_and_client_of_the_console_come_together() -> None:
    """Half of a sign-in would let nobody in, or everybody."""
    (mistake,) = mistakes_in({"console_issuer": "https://issuer.example/pool"})
    assert mistake.startswith("INGESTOR_CONSOLE_CLIENT is not set, but INGESTOR_CONSOLE_ISSUER is")
    (mistake,) = mistakes_in({"console_client": "abc"})
    assert mistake.startswith("INGESTOR_CONSOLE_ISSUER is not set, but")
    both = {"console_issuer": "https://issuer.example/pool", "console_client": "abc"}
    assert mistakes_in(both) == []
