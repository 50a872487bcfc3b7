"""Ways in: how messages get from the devices to the system."""

from loadtest.fleet.ways.dial import Dial
from loadtest.fleet.ways.direct import Direct
from loadtest.fleet.ways.mqtt import Mqtt
from loadtest.fleet.ways.sqs import Sqs
from loadtest.fleet.ways.way import Way

__all__ = ["Dial", "Direct", "Mqtt", "Sqs", "Way"]
