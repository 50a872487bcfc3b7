"""InfluxDB: one `TimeSeriesSink` over either of its write APIs."""

from ingestor.adapters.influxdb.sink import InfluxDbSink
from ingestor.adapters.influxdb.v1 import open_influxdb_v1
from ingestor.adapters.influxdb.v2 import open_influxdb_v2

__all__ = ["InfluxDbSink", "open_influxdb_v1", "open_influxdb_v2"]
