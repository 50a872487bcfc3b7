"""The sink in memory."""

import asyncio

import pytest

from ingestor.adapters.memory import MemorySink, parse_line
from ingestor.ports import Refused, Unavailable

LINE = b"pressure,sensorID=d1,site=a value=1.5,count=2i 1700000000000000000"


async def test_the_same_line_twice_is_one_point() -> None:
    """Series and time identify a point."""
    sink = MemorySink()
    await sink.write([LINE])
    await sink.write([LINE])

    assert sink.points == {
        ("pressure,sensorID=d1,site=a", 1_700_000_000_000_000_000): {"value": 1.5, "count": 2}
    }
    assert sink.writes == [(LINE,), (LINE,)]


async def test_the_order_of_tags_does_not_matter() -> None:
    """A series is a set of tags."""
    sink = MemorySink()
    await sink.write([b"m,b=2,a=1 v=1 5", b"m,a=1,b=2 v=2 5"])

    assert sink.points == {("m,a=1,b=2", 5): {"v": 2.0}}


def test_reads_what_is_escaped() -> None:
    """Escaped commas, spaces and equals signs belong to names; quotes hold strings."""
    point = parse_line(
        rb'm\,x=y,t\=ag=a\ b\,c f\ 1="say \"x, y=z\"",ok=t,no=False,n=-1.5e3,i=-7i -9'
    )

    assert point is not None
    assert point.measurement == r"m\,x=y"
    assert point.series == r"m\,x=y,t\=ag=a\ b\,c"
    assert point.time_ns == -9
    assert point.fields == {"f 1": 'say "x, y=z"', "ok": True, "no": False, "n": -1500.0, "i": -7}


@pytest.mark.parametrize(
    "line",
    [b"", b"m", b"m v=", b"m v=nan 1", b'm v="open 1', b"m, v=1 1", b"m,t= v=1 1", b"m v=1 x"],
)
def test_refuses_what_cannot_be_parsed(line: bytes) -> None:
    """Each of these is refused by InfluxDB, too."""
    with pytest.raises(ValueError, match="unable to parse"):
        parse_line(line)


def test_time_may_be_absent_and_a_comment_stores_nothing() -> None:
    """As in InfluxDB."""
    point = parse_line(b"m v=1")

    assert point is not None
    assert point.time_ns is None
    assert parse_line(b"#m v=1 1") is None


@pytest.mark.parametrize("stores_neighbours", [True, False])
@pytest.mark.parametrize(
    "bad", [b"m v=", b'm v="text" 1', b"m bad=1 1"], ids=["unparsable", "conflict", "told"]
)
async def test_a_bad_line_refuses_the_body(bad: bytes, *, stores_neighbours: bool) -> None:
    """Whether its neighbours are stored differs between versions, and can be chosen."""
    sink = MemorySink(is_bad=lambda line: b"bad" in line, stores_neighbours=stores_neighbours)
    await sink.write([b"m v=1 0"])
    with pytest.raises(Refused, match="dropped=1"):
        await sink.write([b"m v=1 7", bad, b"# a comment"])

    assert (("m", 7) in sink.points) is stores_neighbours
    assert len(sink.points) == 1 + stores_neighbours


async def test_refuses_what_is_too_large() -> None:
    """Line ends count; nothing is stored."""
    sink = MemorySink(most_bytes=8)
    await sink.write([b"m v=1 7"])
    with pytest.raises(Refused) as refused:
        await sink.write([b"m v=1 8", b"m v=1 9"])

    assert refused.value.too_large
    assert len(sink.points) == 1


@pytest.mark.parametrize("applied", [False, True])
async def test_can_be_down(*, applied: bool) -> None:
    """Before it has stored anything, or after, so that only the reply is lost."""
    sink = MemorySink()
    sink.fault = Unavailable("down")
    sink.stores_before_fault = applied
    with pytest.raises(Unavailable):
        await sink.write([LINE])
    with pytest.raises(Unavailable):
        await sink.ping()

    assert bool(sink.points) is applied


async def test_can_hang() -> None:
    """A write waits for the event, then goes through."""
    sink = MemorySink()
    sink.hang = asyncio.Event()
    task = asyncio.create_task(sink.write([LINE]))
    await asyncio.sleep(0)
    assert not sink.points
    sink.hang.set()
    await task
    await sink.ping()

    assert repr(sink) == "<MemorySink 1 points from 1 writes>"
