"""The plan of a run and the shapes of its profiles; nothing here waits for a clock."""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from ingestor.core.encode import Encoder
from ingestor.core.mapping import parse_mapping
from ingestor.core.message import Rejected
from loadtest.devices.builtin import BUILT_IN, find_kinds
from loadtest.devices.metadata import make_records
from loadtest.devices.payloads import into_queue
from loadtest.devices.routes import fleet_mapping
from loadtest.devices.simulated import make_fleet
from loadtest.fleet.parsing import parse_profile
from loadtest.fleet.plan import Message, Plan
from loadtest.fleet.profiles import Run

NOON_MS = 1_795_521_600_000


def plan(
    *profiles: str, seconds: float = 20, devices: int = 40, rate: float = 100, seed: int = 1
) -> Plan:
    """A plan for some devices of all built-in kinds."""
    fleet = make_fleet(find_kinds(list(BUILT_IN)), devices, make_records(7, seed=1), seed=seed)
    parsed = [parse_profile(text) for text in profiles]
    return Plan(fleet, parsed, Run(seconds, seed), rate=rate, start_ms=NOON_MS)


def messages(made: Plan) -> list[Message]:
    """All messages of a plan."""
    return [message for tick in made.ticks() for message in tick.messages]


def per_second(made: Plan) -> list[int]:
    """How many messages are due in each second."""
    counts = Counter(int(message.due) for message in messages(made))
    return [counts[second] for second in range(int(made.run.seconds))]


def test_steady_is_the_same_every_second() -> None:
    """Every second has its rate, every device its turn, in the order of time."""
    made = messages(plan("steady"))

    assert per_second(plan()) == pytest.approx([100] * 20, abs=1)
    assert len(made) == 2_000
    assert set(Counter(message.device.number for message in made).values()) == {50}
    assert all(a.due <= b.due for a, b in pairwise(made))
    assert all(b.due - a.due == pytest.approx(0.01) for a, b in pairwise(made))


@pytest.mark.parametrize("profiles", [(), ("duplicates", "disorder", "late", "poison", "skew")])
def test_the_same_seed_gives_the_same_bytes(profiles: tuple[str, ...]) -> None:
    """Messages, their order and their moments follow from the options; another seed differs."""

    def sent(seed: int) -> list[tuple[float, str, bytes]]:
        made = messages(plan(*profiles, seed=seed))
        return [(each.due, each.device.topic, each.payload) for each in made]

    assert sent(1) == sent(1)
    assert sent(1) != sent(2)


def test_ramp() -> None:
    """The rate grows evenly to its height, then stays."""
    counts = per_second(plan("ramp:over=50%"))

    assert counts[:10] == pytest.approx([10 * n + 5 for n in range(10)], abs=2)
    assert counts[10:] == pytest.approx([100] * 10, abs=1)


def test_burst() -> None:
    """For two seconds of every ten the rate is five times as high, and calm around it."""
    counts = per_second(plan("burst:factor=5,seconds=2,every=10"))

    assert counts == pytest.approx([100] * 4 + [500] * 2 + [100] * 8 + [500] * 2 + [100] * 4, abs=2)


def test_wave() -> None:
    """The night is quiet, noon is busy, and the whole day is as much as a steady one."""
    counts = per_second(plan("wave"))

    assert counts[0] == pytest.approx(21, abs=3)
    assert counts[10] == pytest.approx(179, abs=3)
    assert sum(counts) == pytest.approx(2_000, abs=2)
    assert counts[1:10] == sorted(counts[1:10])


def test_storm() -> None:
    """Connections are cut on time, and the end of the run is none of them."""
    made = plan("storm:every=8")

    assert made.storms == [8, 16]
    assert made.marks == [(8, "storm"), (16, "storm")]


def overtaken(made: list[Message]) -> int:
    """How many messages come after a later one of their device."""
    highest: dict[int, int] = defaultdict(int)
    count = 0
    for message in made:
        number = message.sample.device
        count += message.sample.sequence < highest[number]
        highest[number] = max(highest[number], message.sample.sequence)
    return count


def test_disorder() -> None:
    """Some messages come after later ones of their device, with the time they were taken at."""
    made = messages(plan("disorder=20%:seconds=5"))

    assert overtaken(messages(plan())) == 0
    assert 150 < overtaken(made) < 450
    assert len(made) == 2_000
    assert max(each.due - (each.sample.time_ms - NOON_MS) / 1000 for each in made) < 5.01


def test_late() -> None:
    """Some messages were taken an hour before the run, no two of a device at the same time."""
    made = messages(plan("late=10%"))
    late = [each for each in made if each.sample.time_ms < NOON_MS]

    assert 140 < len(late) < 260
    assert all(3_599 < (NOON_MS - each.sample.time_ms) / 1000 < 3_700 for each in late)
    assert len({(each.sample.device, each.sample.time_ms) for each in made}) == len(made)


def test_duplicates() -> None:
    """Some messages come twice with the same bytes, the second one marked, a little later."""
    made = messages(plan("duplicates=10%"))
    copies = [each for each in made if each.copy]
    first = {(each.sample.device, each.sample.sequence): each for each in made if not each.copy}

    assert 140 < len(copies) < 260
    assert len(first) == 2_000
    for copy in copies:
        original = first[copy.sample.device, copy.sample.sequence]
        assert copy.payload == original.payload
        assert 0 <= copy.due - original.due <= 2.05


def test_skew() -> None:
    """Some clocks are wrong, each always by the same amount, the others right."""
    made = messages(plan("skew=50%:seconds=30"))
    offsets: dict[int, set[int]] = defaultdict(set)
    for each in made:
        offset = each.sample.time_ms - NOON_MS - int(each.due * 1000)
        offsets[each.sample.device].add(round(offset / 100))
    skewed = [each for each in offsets.values() if each != {0}]

    assert 8 < len(skewed) < 32
    assert all(len(each) <= 2 for each in offsets.values())
    assert all(-300 <= min(each) <= max(each) <= 300 for each in offsets.values())


def test_firmware() -> None:
    """Half-way a field appears and numbers become texts, on the same devices from then on."""
    made = messages(plan("firmware=50%"))
    changed = {each.sample.device for each in made if each.firmware}

    assert all(not each.firmware for each in made if each.due < 10)
    assert 8 < len(changed) < 32
    after = [each for each in made if each.due > 10.01 and each.sample.device in changed]
    assert all(each.firmware == "2.0.0" for each in after)
    simulators = [
        json.loads(each.payload) for each in after if "pressure/data" in each.device.topic
    ]
    assert simulators
    assert all(isinstance(each["pressure"], str) for each in simulators)
    assert all(each["firmware"] == "2.0.0" for each in simulators)


def test_silent() -> None:
    """Some devices say nothing for a while, the same ones, and come back."""
    made = plan("silent=30%:after=0.4,until=0.8")
    ticks = list(made.ticks())
    sent = [message for tick in ticks for message in tick.messages]
    before = {each.sample.device for each in sent if each.due < 8}
    during = {each.sample.device for each in sent if 8.5 < each.due < 16}
    after = {each.sample.device for each in sent if each.due > 16}

    assert len(before) == len(after) == 40
    assert 3 < 40 - len(during) < 24
    assert sum(tick.silent for tick in ticks) + len(sent) == 2_000


def test_poison() -> None:
    """About the share asked for is expected to be dead-lettered."""
    made = messages(plan("poison=5%"))

    assert 60 < sum(bool(each.expected) for each in made) < 150


def test_profiles_work_together() -> None:
    """Rates multiply, and every message may have several things out of the ordinary."""
    counts = per_second(plan("ramp", "burst:factor=2,seconds=2,every=10"))
    made = messages(plan("late=50%", "firmware=50%:after=0", "duplicates=50%"))

    assert counts[14] == pytest.approx(200, abs=2)
    assert counts[16] == pytest.approx(100, abs=2)
    assert any(each.copy and each.firmware and each.sample.time_ms < NOON_MS for each in made)


def told(encoder: Encoder, message: Message) -> tuple[str, str]:
    """What the core makes of a message: its line, or the stage and reason of its dead letter."""
    device = message.device
    body = into_queue(message.payload, device.topic, NOON_MS + 5, is_json=device.kind.is_json)
    try:
        route, opened = encoder.open(body.decode(), sent_at_ms=NOON_MS)
        (line,) = route.encode(opened, [None], sent_at_ms=NOON_MS)
    except Rejected as rejection:
        return "", f"{rejection.stage} {rejection.reason}"
    return line.decode(), ""


def planned(message: Message) -> tuple[list[str], int]:
    """The fields of the line that a message must become, and its time in ns."""
    fields = [
        f"{field.stored}={float(str(value))!r}"
        if field.kind == "float"
        else f'{field.stored}="{value}"'
        for field, value in zip(message.device.kind.fields, message.sample.values, strict=True)
    ]
    fields.append(f"sequence={message.sample.sequence}i")
    if message.firmware:
        fields.append(f'firmware="{message.firmware}"')
    return fields, message.sample.time_ms * 1_000_000


@pytest.mark.parametrize("profile", ["steady", "poison=20%", "firmware=50%:after=0.1", "late"])
def test_the_service_sees_what_the_plan_says(profile: str) -> None:
    """The core reads every good message as planned, and refuses every bad one for its reason.

    This is what the ledger later expects of InfluxDB and of the dead-letter queue.
    """
    encoder = Encoder(parse_mapping(fleet_mapping(find_kinds(list(BUILT_IN)))))
    kinds = Counter[str]()
    for message in messages(plan(profile)):
        line, why = told(encoder, message)
        kinds[f"{message.device.kind.name} {message.expected}".strip()] += 1
        assert why == message.expected
        if message.expected:
            continue
        head, fields, time_ns = line.split(" ")
        expected, moment = planned(message)
        assert head == f"{message.device.kind.measurement},sensorID={message.device.sensor}"
        assert sorted(fields.split(",")) == sorted(expected)
        length = 1_000_000_000 if message.device.kind.whole_seconds else 1
        assert int(time_ns) // length == moment // length

    assert {"pressure", "vehicle", "weather"} <= kinds.keys()
    assert (len(kinds) > 5) == profile.startswith("poison")


def test_cbor_devices_are_read_too(tmp_path: Path) -> None:
    """A described kind that speaks CBOR is stored as planned."""
    file = tmp_path / "pump.toml"
    file.write_text(
        '[[devices]]\nname = "pump"\nformat = "cbor"\n'
        '[devices.signals.flow]\nkind = "sine"\nmean = 5\namplitude = 1\nperiod_seconds = 9\n'
        '[devices.signals.mode]\nkind = "choice"\nvalues = ["a", "b"]\n'
    )
    kinds = find_kinds([str(file)])
    fleet = make_fleet(kinds, 5, make_records(2, seed=1), seed=1)
    made = messages(Plan(fleet, [], Run(4, 1), rate=10, start_ms=NOON_MS))
    encoder = Encoder(parse_mapping(fleet_mapping(kinds)))

    assert len(made) == 40
    for message in made:
        line, why = told(encoder, message)
        assert not why
        assert sorted(line.split(" ")[1].split(",")) == sorted(planned(message)[0])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("flood", "there is no profile 'flood', only steady, ramp, burst"),
        ("burst=5%", "burst has no share, only factor, seconds, every"),
        ("poison=much", "poison: share is a number or a percentage, not 'much'"),
        ("poison=500%", "poison: share must be above 0 and at most 1"),
        ("burst:every=0", "burst: every must be above 0"),
        ("steady:x=1", "steady has no x, only itself"),
    ],
)
def test_a_wrong_profile_is_named(text: str, complaint: str) -> None:
    """Whoever names a profile wrongly is told what is wrong and what there is."""
    with pytest.raises(ValueError, match=r"\w") as raised:
        parse_profile(text)

    assert complaint in str(raised.value)


def test_shares_are_numbers_or_percentages() -> None:
    """`poison=0.5%`, `poison:share=0.005` and `poison=0.005` are the same."""
    assert (
        parse_profile("poison=0.5%")
        == parse_profile("poison:share=0.005")
        == parse_profile("poison=0.005")
    )
