"""From settings to the limits of the pipeline."""

import pytest

from ingestor.adapters.sqs.transport import CONNECTIONS
from ingestor.app.service import limits_of
from ingestor.config import load
from ingestor.pipeline.leases import MOST_CALLS

LEAST = {
    "INGESTOR_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/readings",
    "INGESTOR_METADATA_TABLE": "demo-DeviceMetaData",
    "INGESTOR_INFLUXDB_URL": "http://influxdb.internal:8086",
    "INGESTOR_INFLUXDB_ORG": "factory",
    "INGESTOR_INFLUXDB_BUCKET": "readings",
    "INGESTOR_INFLUXDB_TOKEN": "very-secret",
}


@pytest.mark.parametrize(("pollers", "settlers"), [("1", 4), ("4", 4), ("16", 16), ("64", 64)])
def test_as_many_settle_as_poll(pollers: str, settlers: int) -> None:
    """What comes ten at a time goes ten at a time: else a slow queue would fill the window."""
    limits = limits_of(load(LEAST | {"INGESTOR_POLLERS": pollers}))

    assert limits.pollers == int(pollers)
    assert limits.settlers == settlers
    assert limits.settlers + MOST_CALLS < CONNECTIONS
