"""Descriptions of devices: what they make, and what is said when they are wrong."""

import itertools

import pytest

from loadtest.devices.builtin import BUILT_IN, find_kinds
from loadtest.devices.describe import Format, parse_kinds
from loadtest.devices.draws import Draws, parse_parameter
from loadtest.devices.metadata import make_records
from loadtest.devices.simulated import make_fleet

NOON_MS = 1_795_521_600_000
HEAD = '[[devices]]\nname = "pump"\n[devices.signals.x]\n'


def series(signal: str, *, count: int = 500, step_ms: int = 1_000) -> list[tuple[object, ...]]:
    """The values that one device sends, second by second."""
    (device,) = make_fleet(parse_kinds(HEAD + signal), 1, make_records(1, seed=1), seed=1)
    return [device.take(NOON_MS + n * step_ms).values for n in range(count)]


def numbers(signal: str, *, count: int = 500, step_ms: int = 1_000) -> list[float]:
    """The same for a signal of one number."""
    return [float(str(value)) for (value,) in series(signal, count=count, step_ms=step_ms)]


def test_constant() -> None:
    """A constant never changes, and a device draws it once."""
    values = numbers('kind = "constant"\nvalue = { uniform = [5, 9] }')

    assert len(set(values)) == 1
    assert 5 <= values[0] < 9


def test_a_random_walk_moves_in_small_steps_within_its_bounds() -> None:
    """It visits both halves of its range, never leaves it, and never jumps."""
    values = numbers('kind = "random-walk"\nstart = 5\nstep = 1\nlow = 0\nhigh = 10')
    jumps = [abs(b - a) for a, b in itertools.pairwise(values)]

    assert 0 <= min(values) < 2
    assert 8 < max(values) <= 10
    assert max(jumps) <= 3.5


def test_a_sine_swings_with_its_period() -> None:
    """Half a period later it is on the other side of its mean, give or take the noise."""
    text = 'kind = "sine"\nmean = 100\namplitude = 10\nperiod_seconds = 60\nnoise = 0.5'
    values = numbers(text)

    assert all(abs(a + b - 200) < 5 for a, b in zip(values, values[30:], strict=False))
    assert max(values) - min(values) > 18


def test_a_drift_moves_by_the_hour() -> None:
    """After an hour it is where it should be, whatever the noise."""
    values = numbers('kind = "drift"\nstart = 7\nper_hour = 3', count=61, step_ms=60_000)

    assert (values[0], values[30], values[60]) == (7.0, 8.5, 10.0)


def test_a_step_stays_and_jumps() -> None:
    """It holds a level for a while, then another one."""
    values = numbers('kind = "step"\nlow = 0\nhigh = 100\nhold_seconds = 20')
    changes = sum(a != b for a, b in itertools.pairwise(values))

    assert 500 / 30 - 1 <= changes <= 500 / 10


def test_a_decay_halves_and_is_refilled() -> None:
    """It loses half in its half life, and is full again when it is low enough."""
    values = numbers('kind = "decay"\nstart = 80\nhalf_life_seconds = 10\nrefill = 9')

    assert values[0] == 80
    assert values[10] == 40
    assert values[20] == 20
    assert min(values) > 9
    assert values.count(80) > 10


def test_an_integer_takes_every_value_of_its_range() -> None:
    """Both ends are included, and nothing is between whole numbers."""
    values = {value for (value,) in series('kind = "integer"\nlow = 1\nhigh = 6')}

    assert values == {1, 2, 3, 4, 5, 6}
    assert all(isinstance(value, int) for value in values)


def test_a_choice_stays_for_a_while_and_takes_every_value() -> None:
    """It changes now and then, to any of its values."""
    values = [v for (v,) in series('kind = "choice"\nvalues = ["a", "b", "c"]\nchange = 0.1')]
    changes = sum(a != b for a, b in itertools.pairwise(values))

    assert set(values) == {"a", "b", "c"}
    assert 10 < changes < 100


def test_a_counter_counts_and_wraps() -> None:
    """It adds its step, and begins again at its limit."""
    values = numbers('kind = "counter"\nstart = 8\nstep = 1\nwrap = 10', count=5)

    assert values == [8, 9, 0, 1, 2]


def test_a_track_goes_as_far_as_its_speed_says() -> None:
    """At 20 m/s a device is 20 m further each second, wherever it turns."""
    text = 'kind = "track"\nlatitude = 0\nlongitude = 0\nspeed = 20\nturn = 10\ndigits = 9'
    places = [(float(str(a)), float(str(b))) for a, b in series(text, count=100)]

    for (a, b), (c, d) in itertools.pairwise(places):
        assert ((c - a) ** 2 + (d - b) ** 2) ** 0.5 * 111_320 == pytest.approx(20, rel=0.01)


@pytest.mark.parametrize(
    ("given", "low", "high", "distinct"),
    [
        (3, 3, 3, 1),
        ({"uniform": [1, 2]}, 1, 2, 500),
        ({"normal": [10, 1]}, 6, 14, 499),
        ({"lognormal": [0, 1]}, 0.01, 50, 499),
        ({"choice": [4, 5.5]}, 4, 5.5, 2),
    ],
)
def test_parameters_come_from_distributions(
    given: object, low: float, high: float, distinct: int
) -> None:
    """Every device draws its own, within what the distribution gives."""
    draw = parse_parameter(given, "x")
    values = [draw(Draws(number)) for number in range(500)]

    assert low <= min(values) <= max(values) <= high
    assert len(set(values)) == distinct


def test_normal_draws_have_mean_and_deviation() -> None:
    """A thousand draws are about where a normal distribution would have them."""
    draws = Draws("normal")
    values = [draws.normal() for _ in range(5_000)]
    mean = sum(values) / len(values)

    assert abs(mean) < 0.06
    assert sum((v - mean) ** 2 for v in values) / len(values) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = ", "no TOML"),
        ("[other]", "[[devices]] tables"),
        ("devices = []", "[[devices]] tables"),
        ('[[devices]]\nname = "Pump"', "devices.name must be letters"),
        ('[[devices]]\nname = "pump"\nformat = "xml"', "pump.format is one of simulator, json"),
        ('[[devices]]\nname = "pump"\nshare = 0', "pump.share must be a number above 0"),
        ('[[devices]]\nname = "pump"', "pump needs signals"),
        ('[[devices]]\nname = "pump"\ncolor = 1', "pump: unknown: color"),
        (HEAD + 'kind = "dice"', "pump.signals.x.kind is one of choice, constant"),
        (HEAD + 'kind = "sine"\nmean = 1', "pump.signals.x needs amplitude"),
        (HEAD + 'kind = "constant"\nvalue = { beta = 1 }', "pump.signals.x.value"),
        (HEAD + 'kind = "constant"\nvalue = true', "pump.signals.x.value"),
        (HEAD + 'kind = "constant"\nvalue = 1\nother = 2', "pump.signals.x: unknown: other"),
        (HEAD + 'kind = "constant"\nvalue = 1\ndigits = 10', "whole number from 0 to 9"),
        (HEAD + 'kind = "choice"\nvalues = []', "pump.signals.x.values"),
        (HEAD + 'kind = "choice"\nvalues = ["a"]\nchange = 2', "pump.signals.x.change"),
        (HEAD.replace("x]", "site]") + 'kind = "constant"\nvalue = 1', "a meaning of its own"),
        (2 * (HEAD + 'kind = "constant"\nvalue = 1\n'), "two kinds of devices have the same name"),
    ],
)
def test_a_mistake_is_named(text: str, complaint: str) -> None:
    """Whoever writes a description is told what is wrong where."""
    with pytest.raises(ValueError, match=r"\w") as raised:
        parse_kinds(text)

    assert complaint in str(raised.value)


def test_neither_built_in_nor_a_file() -> None:
    """The kinds that there are are named."""
    with pytest.raises(ValueError, match=r"nosuch is neither a built-in kind of device") as raised:
        find_kinds(["nosuch"])

    assert all(name in str(raised.value) for name in BUILT_IN)


def test_a_file_with_a_description(tmp_path: object) -> None:
    """A description in a file stands beside the built-in kinds, in its own format."""
    path = f"{tmp_path}/pump.toml"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - a path as a user gives it
        file.write(HEAD.replace("\n[dev", '\nformat = "cbor"\n[dev') + 'kind = "counter"')

    kinds = find_kinds(["pressure", path])

    assert [(kind.name, kind.format) for kind in kinds] == [
        ("pressure", Format.SIMULATOR),
        ("pump", Format.CBOR),
    ]


def test_shares_decide_how_many_of_each_kind_there_are() -> None:
    """Three to one is three to one, evenly mixed."""
    text = HEAD.replace('"pump"', '"pump"\nshare = 3') + 'kind = "counter"\n'
    kinds = parse_kinds(text + HEAD.replace("pump", "fan") + 'kind = "counter"')
    devices = make_fleet(kinds, 40, make_records(5, seed=1), seed=1)

    assert sum(device.kind.name == "pump" for device in devices) == 30
    assert sum(device.kind.name == "pump" for device in devices[:20]) == 15
    assert {device.record.key for device in devices} == {f"{100_000_000 + n}" for n in range(5)}


def test_two_readings_never_have_the_same_time() -> None:
    """Nothing else tells points of one device apart."""
    (device,) = make_fleet(find_kinds(["vehicle"]), 1, make_records(1, seed=1), seed=1)

    times = [device.take(NOON_MS).time_ms for _ in range(5)]

    assert times == [NOON_MS + n for n in range(5)]


def test_records_are_the_same_again_and_differ_from_each_other() -> None:
    """The same number and seed give the same record; makers, families and dates vary."""
    records = make_records(200, seed=3)

    assert records[:50] == make_records(50, seed=3)
    assert records[:50] != make_records(50, seed=4)
    assert len({record.tags["calibration_date"] for record in records}) > 150
    assert len({record.tags["manufacturer"] for record in records}) == 4
    for record in records:
        assert record.tags == {name: next(iter(v.values())) for name, v in record.item.items()}
