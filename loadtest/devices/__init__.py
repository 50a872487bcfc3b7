"""Simulated devices: the demo's pressure sensors, and kinds that a description makes."""

from loadtest.devices.pressure import TOPIC, Device, Reading, make_devices

__all__ = ["TOPIC", "Device", "Reading", "make_devices"]
