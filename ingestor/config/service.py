"""How the service works, as it can be set."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ingestor.config.dependencies import DependencySettings
from ingestor.config.kinds import AnyCase
from ingestor.core.mapping import DEFAULT_MAPPING


class ServiceSettings(DependencySettings):
    """Mapping, limits, and what it says of itself."""

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
    receive_pause_seconds: float = Field(
        0.05,
        ge=0,
        le=5,
        description="After an answer that is less than half full a poll waits so long: what comes "
        "meanwhile comes with the next one, and SQS bills by the request.",
        examples=[0.05],
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
