"""Fleets of devices that publish, and the book that is kept of them."""

from loadtest.fleet.connected import Broker, Fleet

__all__ = ["Broker", "Fleet"]
