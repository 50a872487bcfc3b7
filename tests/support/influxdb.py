"""The InfluxDB adapter by either API, for servers that are none."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from ingestor.adapters.influxdb import InfluxDbSink, open_influxdb_v1, open_influxdb_v2

SECRET = "very-s3cret"


@dataclass(slots=True, frozen=True)
class Api:
    """One of the write APIs of InfluxDB, and the names that its sink is opened with."""

    version: str

    def open(
        self, url: str, *, timeout_seconds: float = 30.0, connections: int = 4
    ) -> AbstractAsyncContextManager[InfluxDbSink]:
        """A sink for the server at `url`."""
        if self.version == "v2":
            return open_influxdb_v2(
                url=url,
                org="factory",
                bucket="db/rp",
                token=SECRET,
                timeout_seconds=timeout_seconds,
                connections=connections,
            )
        return open_influxdb_v1(
            url=url,
            database="db & co",
            username="me",
            password=SECRET,
            timeout_seconds=timeout_seconds,
            connections=connections,
        )
