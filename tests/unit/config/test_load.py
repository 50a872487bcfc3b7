"""From an environment to settings."""

import pytest
from pydantic import SecretStr

from ingestor.config import ConfigError, load, ops_place
from ingestor.core.mapping import DEFAULT_MAPPING

LEAST = {
    "INGESTOR_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/readings",
    "INGESTOR_METADATA_TABLE": "demo-DeviceMetaData",
    "INGESTOR_INFLUXDB_URL": "http://influxdb.internal:8086",
    "INGESTOR_INFLUXDB_ORG": "factory",
    "INGESTOR_INFLUXDB_BUCKET": "readings",
    "INGESTOR_INFLUXDB_TOKEN": "very-secret",
}


def mistakes_in(**changes: str) -> list[str]:
    """What `load` says of the least environment with these variables set, or unset when empty."""
    with pytest.raises(ConfigError) as caught:
        load(LEAST | {f"INGESTOR_{name}": value for name, value in changes.items()})
    assert str(caught.value).splitlines() == caught.value.mistakes
    return caught.value.mistakes


def test_what_is_not_set_has_its_default() -> None:
    """Six variables are enough."""
    settings = load(LEAST)

    assert settings.queue_url == LEAST["INGESTOR_QUEUE_URL"]
    assert settings.dead_letter_queue_url is None
    assert settings.metadata_key_attribute == "metakey"
    assert settings.influxdb_api == "v2"
    assert settings.influxdb_token == SecretStr("very-secret")
    assert settings.mapping == DEFAULT_MAPPING
    assert settings.batch_seconds == 0.5


def test_text_becomes_what_the_field_holds() -> None:
    """White space around a value means nothing, nor does the case of a word."""
    more = {
        "INGESTOR_OPS_PORT": " 9000\n",
        "INGESTOR_STOP_SECONDS": "60",
        "INGESTOR_LOG_LEVEL": "DEBUG",
        "INGESTOR_INFLUXDB_URL": "http://influxdb.internal:8086/",
    }
    settings = load(LEAST | more)

    assert (settings.ops_port, settings.stop_seconds) == (9000, 60.0)
    assert settings.log_level == "debug"
    assert settings.influxdb_url == "http://influxdb.internal:8086"


def test_settings_do_not_show_secrets() -> None:
    """Nobody logs a token by logging the settings."""
    assert "very-secret" not in repr(load(LEAST))


def test_only_the_given_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the process has no say."""
    monkeypatch.setenv("INGESTOR_OPS_PORT", "9000")

    assert load(LEAST).ops_port == 8080


def test_other_programs_variables_are_none_of_our_business() -> None:
    """Neither foreign ones, nor those of tools and of container platforms, nor blank ones."""
    load(
        LEAST
        | {
            "PATH": "/usr/bin",
            "INGESTOR_TEST_INFLUXD": "/usr/bin/influxd",
            "INGESTOR_SERVICE_HOST": "10.0.0.1",
            "INGESTOR_SERVICE_PORT_OPS": "8080",
            "INGESTOR_PORT": "tcp://10.0.0.1:8080",
            "INGESTOR_PORT_8080_TCP_ADDR": "10.0.0.1",
            "INGESTOR_NO_SUCH_THING": " ",
        }
    )


def test_a_misspelt_variable_is_a_mistake_that_names_the_right_one() -> None:
    """Otherwise the default would be used, and nobody would notice. The value is not shown."""
    assert mistakes_in(BATCH_SECOND="secret") == [
        (
            "INGESTOR_BATCH_SECOND is not a setting of this version. "
            "Did you mean INGESTOR_BATCH_SECONDS?"
        )
    ]
    assert mistakes_in(COLOUR="blue") == [
        "INGESTOR_COLOUR is not a setting of this version. Unset it"
    ]


def test_every_mistake_is_named_at_once_in_the_order_of_the_table() -> None:
    """Each with its variable, what is wrong, and a remedy with an example."""
    assert mistakes_in(OPS_PORT="70000", QUEUE_URL=" ", COLOUR="blue", INFLUXDB_API="v3") == [
        (
            "INGESTOR_QUEUE_URL is not set. Set it to an http:// or https:// address without user, "
            "password and query, for example "
            "INGESTOR_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/readings"
        ),
        (
            "INGESTOR_INFLUXDB_API cannot be used: 'v3'. Set it to one of v2, v1, "
            "for example INGESTOR_INFLUXDB_API=v2"
        ),
        (
            "INGESTOR_OPS_PORT cannot be used: '70000'. Set it to a whole number from 0 to 65535, "
            "for example INGESTOR_OPS_PORT=8080"
        ),
        "INGESTOR_COLOUR is not a setting of this version. Unset it",
    ]


def test_a_mistake_is_split_into_its_parts_for_scripts() -> None:
    """Variable, problem and remedy stand apart."""
    with pytest.raises(ConfigError) as caught:
        load(LEAST | {"INGESTOR_WRITERS": "many"})

    (mistake,) = caught.value.details
    assert mistake.variable == "INGESTOR_WRITERS"
    assert mistake.problem == "cannot be used: 'many'"
    assert mistake.remedy.startswith("Set it to a whole number from 1 to 64")


def test_where_the_ops_server_listens_needs_no_complete_configuration() -> None:
    """Whoever asks a running service does not need its credentials."""
    assert ops_place({}) == ("127.0.0.1", 8080)
    assert ops_place({"INGESTOR_OPS_HOST": "::1", "INGESTOR_OPS_PORT": "9000"}) == ("::1", 9000)


def test_where_the_ops_server_listens_is_checked() -> None:
    """The mistakes of these variables are told, and those of no other."""
    with pytest.raises(ConfigError) as caught:
        ops_place({"INGESTOR_OPS_PORT": "web", "INGESTOR_WRITERS": "many"})

    assert [each.variable for each in caught.value.details] == ["INGESTOR_OPS_PORT"]
