"""A run that was cut off goes on from its ledger."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer

from loadtest.devices.builtin import find_kinds
from loadtest.devices.metadata import make_records
from loadtest.devices.simulated import make_fleet
from loadtest.fleet.command import resumed_options
from loadtest.fleet.desk import Desk
from loadtest.fleet.options import Options, WayIn
from loadtest.fleet.pacing import Pacer
from loadtest.fleet.parsing import parse_profile
from loadtest.fleet.plan import Message, Plan
from loadtest.fleet.profiles import PROFILES, Run
from loadtest.fleet.progress import Progress
from loadtest.fleet.replay import Replay, enter
from loadtest.fleet.ways import Direct
from loadtest.ledger.book import Book, BookError

NOON_MS = 1_795_521_600_000
Identity = tuple[int, int]


def plan(*, seed: int = 1) -> Plan:
    """A hundred readings of a second, some of them twice."""
    devices = make_fleet(find_kinds(["vehicle"]), 10, make_records(2, seed=1), seed=seed)
    profiles = [parse_profile("duplicates=20%"), parse_profile("storm:every=0.3")]
    return Plan(devices, profiles, Run(1.0, 1), rate=100, start_ms=NOON_MS)


def cut_off(path: Path, ticks: int, acknowledged: int) -> list[Identity]:
    """The ledger of a run that was killed after so many ticks; what of it was not acknowledged."""
    with Book.create(path, {}) as book:
        messages: list[Message] = []
        for tick in plan().ticks():
            if tick.number == ticks:
                break
            enter(book, tick)
            messages += [each for each in tick.messages if not each.copy]
        book.acknowledge([each.row for each in messages[:acknowledged]])
    return [(each.sample.device, each.sample.sequence) for each in messages[acknowledged:]]


async def go_on(path: Path, *, anew: bool, seed: int = 1) -> tuple[list[Identity], Progress]:
    """The rest of the run: what was published, and how it went."""
    sent: list[Identity] = []

    async def take(messages: Sequence[Message]) -> None:
        sent.extend((each.sample.device, each.sample.sequence) for each in messages)

    with Book(path) as book:
        desk = Desk(Progress(), asyncio.get_running_loop().time)
        way = Direct(desk, take)
        pacer = Pacer(plan(seed=seed), book, way, desk, Replay(book, anew=anew))
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            running = group.create_task(way.run())
            try:
                await pacer.run(asyncio.Event())
            finally:
                running.cancel()
        assert book.count() == book.count("acknowledged") == 100
    return sent, desk.progress


async def test_what_was_acknowledged_is_not_sent_again(tmp_path: Path) -> None:
    """What may have been sent is, and stays one reading; then the plan goes on where it was."""
    path = tmp_path / "ledger.sqlite"
    open_ = cut_off(path, 10, 30)
    sent, progress = await go_on(path, anew=False)

    assert 10 < len(open_) < 30
    assert sent[: len(open_)] == open_
    assert len(sent) == 70 + progress.copies  # second copies that were not due before
    assert progress.late == 0  # nobody is late because the run was cut off
    assert progress.due == progress.acknowledged == len(sent)


async def test_where_nothing_of_before_is_left_everything_is_sent_again(tmp_path: Path) -> None:
    """All hundred readings, and the ledger has each of them once."""
    path = tmp_path / "ledger.sqlite"
    cut_off(path, 10, 30)
    sent, progress = await go_on(path, anew=True)

    assert len(set(sent)) == 100
    assert len(sent) == 100 + progress.copies


async def test_a_run_that_was_cut_off_before_its_first_tick(tmp_path: Path) -> None:
    """It begins."""
    path = tmp_path / "ledger.sqlite"
    cut_off(path, 0, 0)
    sent, _ = await go_on(path, anew=False)

    assert len(set(sent)) == 100


async def test_a_ledger_of_another_plan_is_refused(tmp_path: Path) -> None:
    """Another seed, or a description that was changed meanwhile, gives other readings."""
    path = tmp_path / "ledger.sqlite"
    cut_off(path, 10, 30)

    with pytest.raises(ExceptionGroup) as caught:
        await go_on(path, anew=False, seed=2)
    assert caught.group_contains(BookError, match="not one of this plan")


def test_the_ledger_has_all_options(tmp_path: Path) -> None:
    """Every profile among them."""
    options = Options(
        devices=7,
        rate=0.5,
        seconds=9,
        profiles=[parse_profile(name) for name in PROFILES],
        kinds=["vehicle"],
        way=WayIn.AWS,
        seed=4,
        records=3,
        connections=2,
        report=tmp_path / "fleet.json",
        endpoint="there.example",
    )
    Book.create(options.ledger, options.as_dict()).close()

    assert resumed_options(options.report) == options


@pytest.mark.parametrize("content", [None, "notes", {"seed": 1}])
def test_there_is_nothing_to_go_on_with(tmp_path: Path, content: object) -> None:
    """Wrong usage, with the reason."""
    report = tmp_path / "fleet.json"
    if isinstance(content, str):
        report.with_suffix(".sqlite").write_text(content * 1_000)
    elif content is not None:
        Book.create(report.with_suffix(".sqlite"), {"seed": 1}).close()

    with pytest.raises(typer.BadParameter, match="no ledger"):
        resumed_options(report)
