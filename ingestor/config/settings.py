"""Everything that can be set. The table in `ingestor/README.md` is made from these fields.

Each field carries its meaning, its limits, and an example that is valid: the remedy of a mistake
shows it.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ingestor.config.kinds import AnyCase, HttpAddress, Password, TableName, Token
from ingestor.core.mapping import DEFAULT_MAPPING


class Settings(BaseSettings):
    """The values of one run. Made by `load`, which also checks how they go together."""

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
    mapping: str = Field(
        DEFAULT_MAPPING,
        description="How a reading becomes a line: the TOML text itself.",
        examples=["the text of a TOML document"],
        repr=False,
    )
    mapping_file: Path | None = Field(
        None,
        description="A file that holds the mapping, instead of `INGESTOR_MAPPING`.",
        examples=["/etc/ingestor/mapping.toml"],
    )
    pollers: int = Field(
        4,
        ge=1,
        le=64,
        description="Most long polls side by side, ten messages each; an idle queue has one.",
        examples=[4],
    )
    receive_wait_seconds: int = Field(
        10,
        ge=1,
        le=20,
        description="How long one poll waits for messages (SQS allows 20).",
        examples=[10],
    )
    window_messages: int = Field(
        20_000,
        ge=10,
        le=110_000,
        description="Most messages held at once; receiving stops there. "
        "SQS stops at 120,000 in flight for all consumers of a queue together.",
        examples=[20_000],
    )
    window_bytes: int = Field(
        64 * 1024**2,
        ge=1024**2,
        le=16 * 1024**3,
        description="Most bytes of message bodies held at once; receiving stops there.",
        examples=[64 * 1024**2],
    )
    batch_lines: int = Field(
        5_000,
        ge=1,
        le=100_000,
        description="Lines after which a batch is written.",
        examples=[5_000],
    )
    batch_bytes: int = Field(
        4 * 1024**2,
        ge=1024,
        le=64 * 1024**2,
        description="Bytes, before compression, after which a batch is written.",
        examples=[4 * 1024**2],
    )
    batch_seconds: float = Field(
        0.5,
        ge=0.01,
        le=60,
        description="Age after which a batch is written, however small it is.",
        examples=[0.5],
    )
    writers: int = Field(
        4,
        ge=1,
        le=64,
        description="Most batches written side by side; how many follows InfluxDB's latency.",
        examples=[4],
    )
    workers: int = Field(
        1,
        ge=0,
        le=64,
        description="Processes that share the work; 0 is one for each core. Each has its part of "
        "the window, and pollers, writers and a cache of its own.",
        examples=[2],
    )
    cache_size: int = Field(
        100_000,
        ge=1,
        le=10_000_000,
        description="Metadata records kept in memory.",
        examples=[100_000],
    )
    cache_ttl_seconds: float = Field(
        300.0,
        ge=1,
        le=604_800,
        description="How old a record may get before it is looked up again.",
        examples=[300],
    )
    cache_negative_ttl_seconds: float = Field(
        15.0,
        ge=1,
        le=604_800,
        description="How long to believe that a record does not exist.",
        examples=[15],
    )
    cache_stale_seconds: float = Field(
        3_600.0,
        ge=0,
        le=604_800,
        description="How long an outdated record is still used while DynamoDB does not answer.",
        examples=[3_600],
    )
    guard_messages: int = Field(
        1_000,
        ge=0,
        le=1_000_000,
        description="Stop dead-lettering and receiving when more than half of so many messages "
        "were refused: then the mapping is wrong rather than the devices. 0 never stops.",
        examples=[1_000],
    )
    stop_seconds: float = Field(
        25.0,
        ge=6,
        le=115,
        description="How long to store and settle what is held after SIGTERM. Keep it below the "
        "stopTimeout of the container (30 s on ECS, at most 120 s on Fargate).",
        examples=[25],
    )
    ops_host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Where the ops server listens: `127.0.0.1` is this machine alone, "
        "`0.0.0.0` everywhere.",
        examples=["127.0.0.1"],
    )
    ops_port: int = Field(
        8080,
        ge=0,
        le=65_535,
        description="The port of the ops server; 0 takes any free one.",
        examples=[8080],
    )
    self_report_seconds: float = Field(
        10.0,
        ge=0,
        le=3_600,
        description="How often the service writes its own figures to InfluxDB (measurements "
        "`ingestor` and `ingestor_rejected`); 0 switches that off.",
        examples=[10],
    )
    task_id: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="The tag `task` of these figures, different for every process that runs. "
        "Not set: host name and process number.",
        examples=["ingestor-1"],
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], AnyCase] = Field(
        "info",
        description="The least important log events to write.",
        examples=["info"],
    )
    log_format: Annotated[Literal["auto", "json", "console"], AnyCase] = Field(
        "auto",
        description="One JSON object a line, or text; auto writes text on a terminal.",
        examples=["json"],
    )


def variable(field: str) -> str:
    """The environment variable of a field."""
    return f"{Settings.model_config['env_prefix']}{field.upper()}"
