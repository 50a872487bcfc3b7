"""Real servers for the demo and the tests, on free loopback ports, gone when their user is."""

from loadtest.servers.disk import SmallDisk
from loadtest.servers.influxd import Influxd
from loadtest.servers.ministack import MiniStack
from loadtest.servers.moto import Moto
from loadtest.servers.ports import free_port
from loadtest.servers.process import Server, ServerError

__all__ = ["Influxd", "MiniStack", "Moto", "Server", "ServerError", "SmallDisk", "free_port"]
