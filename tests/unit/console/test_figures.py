"""Figures: of this task, of several, over time, as they come, and in words."""

import asyncio
import json
import time
from typing import Any

import pytest
from support.console import Rig, status

from ingestor.console.figures import from_reports, from_status, health_of, steps_of
from ingestor.console.model import DeviceCounts
from ingestor.console.watching import MOST_LISTENERS
from ingestor.console_ports import Window
from ingestor.ports import Unavailable


def report(rig: Rig, task: str, ago: float, **fields: float) -> None:
    """One task's report of so many seconds ago."""
    values = ",".join(f"{name}={value}" for name, value in fields.items())
    ns = time.time_ns() - round(ago * 1e9)
    rig.series.write([f"ingestor,task={task} {values} {ns}".encode()])


async def test_the_only_task_tells_its_own() -> None:
    """Live figures with devices and dead letters, and health in words."""
    rig = Rig()
    rig.reading("a", "k1")
    rig.letters.put("{}", {})
    async with rig.running() as client:
        figures = await client.get("/figures")
    assert (figures["source"], figures["tasks"], figures["state"]) == ("live", 1, "running")
    assert (figures["backlog"], figures["in_flight"]) == (4, 5)
    assert figures["devices"] == {
        "known": 1,
        "reporting": 1,
        "silent": 0,
        "window_seconds": 300,
    }
    assert figures["dead_letters"] == 1
    assert figures["cache"] == {"records": 2, "hit_share": 0.9}
    assert [each["level"] for each in figures["health"]] == ["warning"]
    assert next(each["name"] for each in figures["steps"]) == "queue"


async def test_outages_leave_the_rest() -> None:
    """What cannot be asked is null; the figures of the task itself are there."""
    rig = Rig()
    rig.series.fault = Unavailable("InfluxDB is down.")
    rig.letters.fault = Unavailable("SQS is down.")
    async with rig.running() as client:
        figures = await client.get("/figures")
    assert (figures["devices"], figures["dead_letters"]) == (None, None)
    assert figures["stored_per_s"] is None or figures["stored_per_s"] >= 0


async def test_several_tasks_are_added_up() -> None:
    """Reports of all tasks give the figures of the whole service."""
    rig = Rig()
    for task in ("one", "two"):
        for ago, stored in ((25.0, 100.0), (15.0, 200.0), (5.0, 300.0)):
            report(
                rig,
                task,
                ago,
                stored=stored,
                received=stored,
                window_messages=7,
                lag_p99_seconds=0.5,
            )
    async with rig.running() as client:
        figures = await client.get("/figures")
        now = time.time_ns() // 10**6
        curves = await client.get("/figures/curves", from_ms=now - 60_000, to_ms=now, points=10)
    assert (figures["source"], figures["tasks"]) == ("reports", 2)
    assert figures["stored_per_s"] == pytest.approx(20.0)
    assert figures["lag"]["p99_ms"] == 500.0
    [receive] = [each for each in figures["steps"] if each["name"] == "receive"]
    assert receive["buffers"][0] == {
        "name": "window_messages",
        "unit": "messages",
        "used": 14.0,
        "limit": 200.0,
    }
    assert curves["step_seconds"] == 10
    assert all(len(each) == len(curves["times"]) for each in curves["curves"].values())
    assert max(each or 0 for each in curves["curves"]["stored_per_s"]) == pytest.approx(20.0)
    assert max(each or 0 for each in curves["curves"]["lag_p99_ms"]) == 500.0


async def test_without_reports_there_are_no_curves_and_it_is_said() -> None:
    """A service that does not report has no history in InfluxDB."""
    rig = Rig(facts={"report_seconds": 0.0})
    async with rig.running() as client:
        curves = await client.get("/figures/curves")
        await client.get("/figures")
    assert "INGESTOR_SELF_REPORT_SECONDS" in curves["problems"][0]
    assert not any(any(each) for each in curves["curves"].values())


async def test_events_come_by_the_second() -> None:
    """The first at once, then one each second; the history has them too."""
    rig = Rig()
    async with rig.running() as client:
        found: list[dict[str, Any]] = []
        async with client.session.get("/api/v1/events") as reply, asyncio.timeout(30):
            assert reply.content_type == "text/event-stream"
            async for line in reply.content:
                if line.startswith(b"data: "):
                    found.append(json.loads(line.removeprefix(b"data: ")))
                if len(found) == 3:
                    break
        recent = await client.get("/figures/recent")
    times = [each["time_ms"] for each in found]
    assert times == sorted(set(times))
    assert len(recent["times"]) == len(recent["curves"]["stored_per_s"]) >= 2


async def test_listeners_are_bounded() -> None:
    """One too many is told to come later; when one leaves there is room."""
    rig = Rig()
    async with rig.running() as client, asyncio.timeout(60):
        replies = [await client.session.get("/api/v1/events") for _ in range(MOST_LISTENERS)]
        status, problem, headers = await client.ask("GET", "/events")
        for reply in replies:
            reply.close()
    assert (status, problem["status"], headers["Retry-After"]) == (503, 503, "10")


def test_rates_come_from_differences() -> None:
    """Two looks at the totals, so many seconds apart; a counter that fell is a restart."""
    totals = {**status()["totals"], "stored": 50, "received": 10}
    now = status(totals=totals)
    before = status(totals={**status()["totals"], "received": 20})
    load = from_status(now, before, 5.0)
    assert (load.rates["stored"], load.rates["received"]) == (10.0, 0.0)
    assert from_status(now, None, 0.0).rates == {}
    assert (
        from_status({"state": "starting", "not_ready": ["worker 0: starting"]}, now, 1.0).visible
        is None
    )


def test_one_report_is_not_several_tasks() -> None:
    """Then the task that answers knows better."""
    own = from_status(status(), None, 0.0)
    window = Window("ingestor", {"task": "t"}, {("last", "stored"): [1.0, None, 3.0]})
    assert from_reports([window], own, 10.0) is None
    both = from_reports(
        [window, Window("ingestor", {"task": "u"}, {("last", "up_sqs"): [0.0]})], own, 10.0
    )
    assert both is not None
    assert both.rates["stored"] == 0.1
    assert "sqs" in both.down


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({}, "ok", "All is well"),
        ({"dependencies": {"influxdb": {"up": False, "reason": "refused"}}}, "problem", "refused"),
        ({"not_ready": ["draining"], "state": "draining"}, "problem", "draining"),
        ({"queue": {"visible": 90_000, "in_flight": 0}}, "warning", "90000"),
        ({"lag_ms": {"p50": 1.0, "p99": 60_000.0}}, "warning", "60 s late"),
    ],
)
def test_health_in_words(changes: dict[str, Any], level: str, word: str) -> None:
    """The worst first, with its reason."""
    load = from_status(status(**changes), None, 0.0)
    said = health_of(load, dead_letters=0, devices=None)
    assert said[0].level == level
    assert word in said[0].text


def test_what_needs_a_look() -> None:
    """Dead letters and silent devices are warnings."""
    load = from_status(status(), None, 0.0)
    devices = DeviceCounts(known=5, reporting=3, silent=2, window_seconds=300)
    said = health_of(load, dead_letters=7, devices=devices)
    assert [each.level for each in said] == ["warning", "warning"]
    assert "2 of 5 devices" in said[1].text


@pytest.mark.parametrize(
    ("changes", "step", "word"),
    [
        ({"state": "starting"}, "receive", "starting"),
        ({"dependencies": {"sqs": {"up": False, "reason": None}}}, "receive", "sqs"),
        ({"buffers": {"window_messages": {"used": 9, "limit": 9}}}, "receive", "full"),
        (
            {"buffers": {"waiting_for_metadata": {"used": 4, "limit": None}}},
            "enrich",
            "4 messages wait",
        ),
        ({"dependencies": {"influxdb": {"up": False, "reason": "slow"}}}, "write", "slow"),
    ],
)
def test_why_a_step_waits(changes: dict[str, Any], step: str, word: str) -> None:
    """Each step says why it does not go on."""
    steps: dict[str, str | None]
    steps = {each.name: each.waiting for each in steps_of(from_status(status(**changes), None, 0))}
    assert word in (steps[step] or "")
