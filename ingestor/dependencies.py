"""From settings to open adapters."""

import hashlib
from contextlib import AbstractAsyncContextManager
from random import Random

from ingestor.adapters.dynamodb import DynamoDbMetadata, open_dynamodb
from ingestor.adapters.influxdb import open_influxdb_v1, open_influxdb_v2
from ingestor.adapters.sqs import SqsQueue, open_sqs
from ingestor.config import Settings
from ingestor.ports import Clock, TimeSeriesSink


def open_queue(settings: Settings) -> AbstractAsyncContextManager[SqsQueue]:
    """The queue that is received from; region, endpoint and credentials come from AWS_*."""
    return open_sqs(
        queue_url=settings.queue_url,
        dead_letter_queue_url=settings.dead_letter_queue_url,
        wait_seconds=settings.receive_wait_seconds,
        pollers=settings.pollers,
        labels={"mapping": mapping_version(settings.mapping)},
        client=settings.sqs_client,
    )


def mapping_version(mapping: str) -> str:
    """A short name for the text of a mapping: another text, another name."""
    return hashlib.sha256(mapping.encode()).hexdigest()[:12]


def open_store(
    settings: Settings, *, clock: Clock, random: Random
) -> AbstractAsyncContextManager[DynamoDbMetadata]:
    """The table of metadata records."""
    return open_dynamodb(
        table=settings.metadata_table,
        key_attribute=settings.metadata_key_attribute,
        sort_attribute=settings.metadata_sort_attribute,
        clock=clock,
        random=random,
    )


def open_sink(settings: Settings) -> AbstractAsyncContextManager[TimeSeriesSink]:
    """InfluxDB, by the API that the settings name; `load` made sure that they are complete."""
    timeout = settings.influxdb_timeout_seconds
    connections = settings.writers + 1  # one for the service's own figures
    if settings.influxdb_api == "v1":
        password = settings.influxdb_password
        return open_influxdb_v1(
            url=settings.influxdb_url,
            database=settings.influxdb_database or "",
            username=settings.influxdb_username,
            password=password.get_secret_value() if password else None,
            timeout_seconds=timeout,
            connections=connections,
        )
    token = settings.influxdb_token
    return open_influxdb_v2(
        url=settings.influxdb_url,
        org=settings.influxdb_org or "",
        bucket=settings.influxdb_bucket or "",
        token=token.get_secret_value() if token else "",
        timeout_seconds=timeout,
        connections=connections,
    )
