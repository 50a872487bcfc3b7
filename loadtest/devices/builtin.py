"""The kinds of devices that are there without a description."""

from collections.abc import Sequence
from pathlib import Path

from loadtest.devices.describe import Kind, parse_kinds

PRESSURE = """\
[[devices]]
name = "pressure"
format = "simulator"

[devices.signals.pressure]
kind = "random-walk"
stored = "pressureValue"
start = { uniform = [800, 1200] }
step = { uniform = [2, 12] }
low = 500
high = 1500
digits = 0

[devices.signals.viscosity]
kind = "sine"
mean = { uniform = [50, 75] }
amplitude = { uniform = [5, 15] }
period_seconds = { uniform = [300, 900] }
noise = 1
digits = 0
"""

VEHICLE = """\
[[devices]]
name = "vehicle"

[devices.signals.position]
kind = "track"
latitude = { uniform = [47.3, 54.9] }
longitude = { uniform = [6.1, 14.9] }
speed = { normal = [18, 4] }

[devices.signals.speed]
kind = "random-walk"
start = { uniform = [10, 25] }
step = 0.8
low = 0
high = 42
digits = 1

[devices.signals.fuel]
kind = "decay"
start = { uniform = [60, 100] }
half_life_seconds = { uniform = [3600, 14400] }
refill = 10

[devices.signals.gear]
kind = "integer"
low = 1
high = 6

[devices.signals.odometer]
kind = "counter"
start = { lognormal = [11, 0.6] }
step = { uniform = [0.01, 0.03] }
digits = 2

[devices.signals.lamp]
kind = "choice"
values = ["off", "low", "high"]
"""

WEATHER = """\
[[devices]]
name = "weather"
format = "senml"

[devices.signals.temperature]
kind = "sine"
mean = { normal = [12, 4] }
amplitude = { uniform = [3, 9] }
period_seconds = 86400
noise = 0.15

[devices.signals.humidity]
kind = "random-walk"
start = { uniform = [40, 90] }
step = 0.4
low = 5
high = 100
digits = 1

[devices.signals.air_pressure]
kind = "drift"
start = { normal = [1013, 6] }
per_hour = { normal = [0, 0.8] }
noise = 0.05

[devices.signals.wind]
kind = "step"
low = 0
high = { uniform = [8, 25] }
hold_seconds = 20
digits = 1

[devices.signals.station_height]
kind = "constant"
value = { uniform = [0, 2500] }
digits = 0
"""

BUILT_IN = {"pressure": PRESSURE, "vehicle": VEHICLE, "weather": WEATHER}
"""The descriptions by their names."""


def find_kinds(names: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds that are named: built-in ones, or files with descriptions.

    Raises ValueError that names what is wrong.
    """
    texts = []
    for name in names:
        if name in BUILT_IN:
            texts.append(BUILT_IN[name])
            continue
        try:
            texts.append(Path(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as exc:
            known = ", ".join(BUILT_IN)
            raise ValueError(
                f"{name} is neither a built-in kind of device ({known}) nor a description: {exc}"
            ) from exc
    return parse_kinds("\n".join(texts))
