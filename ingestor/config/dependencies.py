"""What the service talks to, as it can be set."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ingestor.config.kinds import AnyCase, HttpAddress, Password, TableName, Token


class DependencySettings(BaseSettings):
    """Queue, table and InfluxDB."""

    model_config = SettingsConfigDict(
        env_prefix="INGESTOR_",
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's too
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: `load` decides whose environment is read."""
        return (init_settings,)

    queue_url: HttpAddress = Field(
        description="The SQS queue to receive from (a standard queue).",
        examples=["https://sqs.eu-west-1.amazonaws.com/123456789012/readings"],
    )
    dead_letter_queue_url: HttpAddress | None = Field(
        None,
        description="Where messages go that can never be stored. "
        "Not set: the queue that the redrive policy of the first one names.",
        examples=["https://sqs.eu-west-1.amazonaws.com/123456789012/readings-dead-letters"],
    )
    sqs_client: Annotated[Literal["lean", "aioboto3"], AnyCase] = Field(
        "lean",
        description="Which client calls SQS: lean is our own, takes a small part of the CPU time, "
        "and uses no proxy; aioboto3 is the usual one. Both pass the same tests.",
        examples=["aioboto3"],
    )
    metadata_table: TableName = Field(
        description="The DynamoDB table with the records that readings are enriched from.",
        examples=["demo-DeviceMetaData"],
    )
    metadata_key_attribute: str = Field(
        "metakey",
        min_length=1,
        max_length=255,
        description="The partition key of that table, a string attribute.",
        examples=["metakey"],
    )
    metadata_sort_attribute: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="The sort key of that table, a string attribute, if it has one. The mapping's "
        "`sort` says where a reading names it.",
        examples=["unit"],
    )
    influxdb_api: Annotated[Literal["v2", "v1"], AnyCase] = Field(
        "v2",
        description="Which write API to use: v2 (`/api/v2/write`; InfluxDB 1.8, 2.x, 3 Core, "
        "Timestream for InfluxDB) or v1 (`/write`; InfluxDB 1.x).",
        examples=["v2"],
    )
    influxdb_url: HttpAddress = Field(
        description="The address of InfluxDB, without the path of the API.",
        examples=["http://influxdb.internal:8086"],
    )
    influxdb_org: str | None = Field(
        None,
        min_length=1,
        description="v2: the organization. Needed with v2; InfluxDB 1.8 takes any text.",
        examples=["factory"],
    )
    influxdb_bucket: str | None = Field(
        None,
        min_length=1,
        description="v2: the bucket. Needed with v2; `database/retention policy` on InfluxDB 1.8.",
        examples=["readings"],
    )
    influxdb_token: Token | None = Field(
        None,
        description="v2: a token that may write to the bucket. Needed with v2; "
        "`user:password` on InfluxDB 1.8.",
        examples=["<token>"],
    )
    influxdb_token_file: Path | None = Field(
        None,
        description="A file that holds the token, instead of `INGESTOR_INFLUXDB_TOKEN`.",
        examples=["/run/secrets/influxdb-token"],
    )
    influxdb_database: str | None = Field(
        None,
        min_length=1,
        description="v1: the database. Needed with v1.",
        examples=["readings"],
    )
    influxdb_username: str | None = Field(
        None,
        min_length=1,
        description="v1: the user, together with the password; neither where InfluxDB asks for "
        "none.",
        examples=["ingestor"],
    )
    influxdb_password: Password | None = Field(
        None,
        description="v1: the password of the user.",
        examples=["<password>"],
    )
    influxdb_password_file: Path | None = Field(
        None,
        description="A file that holds the password, instead of `INGESTOR_INFLUXDB_PASSWORD`.",
        examples=["/run/secrets/influxdb-password"],
    )
    influxdb_timeout_seconds: float = Field(
        10.0,
        ge=0.1,
        le=300,
        description="How long one write may take before it counts as failed and is repeated.",
        examples=[10],
    )
