"""What the InfluxDB adapter does about outages and wrong settings, on a real server."""

import pytest
from contracts.sinks import influxdb_sink, open_sink

from ingestor.ports import Refused, Unavailable
from loadtest.servers import Influxd
from loadtest.toolchain import Api, FoundInfluxd

pytestmark = pytest.mark.servers

NOW = 1_790_000_000_000_000_000


@pytest.fixture(params=["influxd_v1", "influxd_v2"])
def server(request: pytest.FixtureRequest) -> Influxd:
    """A shared server, with each API in turn."""
    shared: Influxd = request.getfixturevalue(request.param)
    return shared


@pytest.mark.parametrize("api", ["v1", "v2"])
async def test_outlives_the_server(found_influxd: FoundInfluxd, api: Api) -> None:
    """Killed, it is unavailable; started again, it is written to without opening anything anew."""
    async with Influxd(found_influxd, api=api) as server, influxdb_sink(server) as it:
        await it.sink.write([b"m v=1 %d" % NOW])
        await server.kill()
        with pytest.raises(Unavailable, match=r"InfluxDB at http://127\.0\.0\.1:") as down:
            await it.sink.write([b"m v=2 %d" % (NOW + 1)])
        with pytest.raises(Unavailable):
            await it.sink.ping()
        await server.restart()
        await it.sink.ping()
        await it.sink.write([b"m v=2 %d" % (NOW + 1)])

        assert await it.rows("m") == [{"time": NOW, "v": 1}, {"time": NOW + 1, "v": 2}]
        assert down.value.retry_after_seconds is None


async def test_a_wrong_secret_is_for_operators(server: Influxd) -> None:
    """Nothing is refused, and the secret is not repeated."""
    wrong = f"{server.username}:wrong-secret"
    async with open_sink(server, secret=wrong) as sink:
        for asked in (sink.ping(), sink.write([b"m v=1 1"])):
            with pytest.raises(Unavailable, match=r"401.*check the token") as unavailable:
                await asked

            assert "wrong-secret" not in str(unavailable.value)


async def test_an_unknown_place_is_for_operators(server: Influxd) -> None:
    """A database that is not there, or a bucket: refusing would dead-letter everything."""
    async with open_sink(server, database="nowhere", bucket="nowhere/autogen") as sink:
        for asked in (sink.ping(), sink.write([b"m v=1 1"])):
            with pytest.raises(Unavailable, match=r"404.*check the address"):
                await asked


async def test_ping_stores_nothing(server: Influxd) -> None:
    """What it writes is a comment."""
    async with open_sink(server) as sink:
        before = await server.query_influxql("SHOW SERIES CARDINALITY")
        await sink.ping()

        assert await server.query_influxql("SHOW SERIES CARDINALITY") == before


@pytest.mark.parametrize("size", [70_000, 1_000_000])
async def test_a_key_that_is_too_long_is_refused(server: Influxd, size: int) -> None:
    """InfluxDB quotes it whole, in a reply longer than what is read of it."""
    async with open_sink(server) as sink:
        with pytest.raises(Refused, match="unable to parse 'm,t=xx") as refused:
            await sink.write([b"m,t=" + b"x" * size + b" v=1 1"])
        await sink.ping()

    assert len(refused.value.detail) <= 300


@pytest.mark.parametrize("character", [b"\x01", b"\r", b"\x1f", b"\x7f", b"\xff", b"\0"])
async def test_a_reply_that_quotes_control_characters_is_understood(
    server: Influxd, character: bytes
) -> None:
    """InfluxDB 1.x quotes refused lines in a header, unescaped: the line is refused nonetheless."""
    async with open_sink(server) as sink:
        with pytest.raises(Refused) as refused:
            await sink.write([b"m,t=a" + character + b"b v="])
        await sink.ping()

    assert refused.value.detail.isprintable()


async def test_large_bodies_are_taken(server: Influxd) -> None:
    """Four megabytes before compression, the most that a batch holds by default."""
    lines = [b"large,device=d%d v=%d %d" % (i % 50, i, NOW + i) for i in range(100_000)]
    async with influxdb_sink(server) as it:
        await it.sink.write(lines)

    assert await server.query_influxql("SELECT count(v) AS n FROM large") == [
        {"time": 0, "n": 100_000}
    ]
