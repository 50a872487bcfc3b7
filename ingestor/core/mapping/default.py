"""The mapping that is used when none is given."""

DEFAULT_MAPPING = """\
[[routes]]
measurement = "pressure"

[routes.tags]
sensorID = { template = "{deviceid}{clientid}", required = true }

[routes.fields]
pressureValue = { path = "pressure", type = "float" }
viscosity = { path = "viscosity", type = "float" }

[routes.metadata]
key = "metakey"
missing = "write"

[routes.time]
paths = ["sensordatetime", "received_at"]
spread = true
envelope = ["topic", "received_at"]
past_days = 3653
future_days = 1
"""
"""The reading of the IoT Device Simulator's pressure device, as the rule forwards it."""
