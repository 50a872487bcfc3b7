"""Everything that can be set. The table in `ingestor/README.md` is made from these fields.

Each field carries its meaning, its limits, and an example that is valid: the remedy of a mistake
shows it. They stand in three files, in the order of the table: what the service talks to, how it
works, and here the console.
"""

from pathlib import Path

from pydantic import Field

from ingestor.config.kinds import HttpAddress, Token
from ingestor.config.service import ServiceSettings


class Settings(ServiceSettings):
    """The values of one run. Made by `load`, which also checks how they go together."""

    console_issuer: HttpAddress | None = Field(
        None,
        description="Who signs people in to the console: the issuer of a Cognito user pool. Not "
        "set: the console answers on this machine alone, to everybody there, if "
        "`INGESTOR_OPS_HOST` is a loopback address, and otherwise not at all.",
        examples=["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"],
    )
    console_client: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="The app client of that pool. Needed with `INGESTOR_CONSOLE_ISSUER`.",
        examples=["1h57kf5cpq17m0eml12EXAMPLE"],
    )
    console_sign_in: HttpAddress | None = Field(
        None,
        description="The pool's sign-in page, where the console's page sends people.",
        examples=["https://demo-console-123456789012.auth.eu-west-1.amazoncognito.com"],
    )
    console_grafana: HttpAddress | None = Field(
        None,
        description="The address of Grafana, as browsers reach it: the console links to it.",
        examples=["https://d111111abcdef8.cloudfront.net/grafana"],
    )
    console_chronograf: HttpAddress | None = Field(
        None,
        description="The same of Chronograf.",
        examples=["https://d111111abcdef8.cloudfront.net/chronograf"],
    )
    console_device_tag: str = Field(
        "sensorID",
        min_length=1,
        max_length=255,
        description="The tag that tells one device from another: the console lists its values.",
        examples=["sensorID"],
    )
    console_influxdb_token: Token | None = Field(
        None,
        description="A token that may read what is stored, for the console. Not set: it reads "
        "with what the service writes with.",
        examples=["<token>"],
    )
    console_influxdb_token_file: Path | None = Field(
        None,
        description="A file that holds that token, instead of `INGESTOR_CONSOLE_INFLUXDB_TOKEN`.",
        examples=["/run/secrets/influxdb-read-token"],
    )
    console_influxdb_database: str | None = Field(
        None,
        min_length=1,
        description="v2: the database (`database/retention policy`) by which InfluxQL finds the "
        "bucket: its DBRP mapping. Not set: the bucket's name, as InfluxDB itself maps it.",
        examples=["readings"],
    )


def variable(field: str) -> str:
    """The environment variable of a field."""
    return f"{Settings.model_config['env_prefix']}{field.upper()}"
