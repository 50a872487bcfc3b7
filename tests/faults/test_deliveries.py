"""Rows 11, 17, 19 and 20: messages that come twice, and one that can never be stored."""

from datetime import UTC, datetime

import pytest
from faults.conftest import LONG_SECONDS, Ground
from service.conftest import reading

from loadtest.proxy import Duplicates

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

TODAY = datetime.now(UTC).date()


async def test_f11_twice_in_one_receive(ground: Ground) -> None:
    """A message that comes twice in one answer is one message, and one entry of a delete."""
    await ground.visibility(LONG_SECONDS)
    ground.sqs.arm(Duplicates(), "ReceiveMessage", times=50)
    async with ground.service() as service:
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until_stored(30)
        await ground.until_empty()
        await service.scrape()
        await service.finish()

    assert ground.site.custody.received == 60
    assert service.total("ingestor_duplicates_total") == 30
    assert service.total("ingestor_queue_failures_total") == 0
    assert await ground.sequences() == list(range(30))


async def test_f17_one_poison_message_in_five_hundred(ground: Ground) -> None:
    """It is dead-lettered with its reason, and its neighbours are stored."""
    bodies = [reading(n) for n in range(499)]
    bodies.insert(250, "poison")
    async with ground.service() as service:
        await ground.send(*bodies)
        await ground.until_empty()
        await service.finish()

    [letter] = await ground.stack.take_dead_letters()
    assert letter.body == "poison"
    assert letter.why.startswith("decode not-json")
    assert await ground.sequences() == list(range(499))


async def test_f19_redriven_with_another_id(ground: Ground) -> None:
    """What comes again as a new message is the same point, by the time that the device gave."""
    bodies = [reading(n, sensordatetime=f"{TODAY}T00:00:{n:02}") for n in range(30)]
    async with ground.service() as service:
        await ground.send(*bodies)
        await ground.until_stored(30)
        await ground.until_empty()
        await ground.send(*bodies)
        await ground.until(lambda: ground.site.custody.received >= 60)
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(30))


async def test_f20_everything_comes_twice(ground: Ground) -> None:
    """Every message sent twice, each copy delivered twice, makes no extra point."""
    bodies = [reading(n, sensordatetime=f"{TODAY}T00:00:{n:02}") for n in range(50)]
    ground.sqs.arm(Duplicates(), "ReceiveMessage", times=100)
    async with ground.service() as service:
        await ground.send(*(each for body in bodies for each in (body, body)))
        await ground.until(lambda: ground.site.custody.received >= 200)
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(50))
    assert await ground.stack.take_dead_letters() == []
