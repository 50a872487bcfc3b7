"""The console of a running service: what is changed there is seen by readings."""

import csv
import io
from typing import Any

import aiohttp
import pytest
from service.conftest import RECORD, Site, reading, until
from support.user_pool import CLIENT, Pool

from loadtest.service import Service

pytestmark = pytest.mark.servers

API = "/api/v1"


class Console:
    """Asks the API of a service."""

    def __init__(self, service: Service, session: aiohttp.ClientSession) -> None:
        self._url = f"{service.url}{API}"
        self._session = session

    async def ask(self, method: str, path: str, **how: Any) -> tuple[Any, Any]:
        """Body and headers of an answer that is fine."""
        async with self._session.request(method, f"{self._url}{path}", **how) as reply:
            text = await reply.text()
            assert reply.ok, f"{reply.status} {path}: {text}"
            body = await reply.json() if reply.content_type == "application/json" else text
            return body, reply.headers

    async def edit(self, **texts: str) -> Any:
        """Set attributes of the record that good readings name; the answer."""
        record, headers = await self.ask("GET", "/metadata/record", params={"key": RECORD})
        changed = {name: {"S": text} for name, text in texts.items()}
        saved, _ = await self.ask(
            "PUT",
            "/metadata/record",
            params={"key": RECORD},
            json={"attributes": {**record["attributes"], **changed}},
            headers={"If-Match": headers["ETag"]},
        )
        return saved


async def manufacturers(site: Site) -> dict[int, str]:
    """The tag of each stored reading, by its sequence number."""
    rows = await site.stack.influxd.query_influxql("SELECT sequence, manufacturer FROM pressure")
    return {row["sequence"]: row["manufacturer"] for row in rows}


async def send_and_wait(site: Site, number: int, **changes: Any) -> None:
    """One more reading, until it is stored."""
    await site.send(reading(number, **changes))

    async def is_stored() -> bool:
        return number in await site.sequences()

    await until(is_stored)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_an_edited_manufacturer_is_the_tag_of_the_next_readings(
    site: Site, workers: str
) -> None:
    """The record was in the cache, for five minutes; the reading after the change has the new tag.

    So it was not the TTL that made it seen, in one process or in any of the workers.
    """
    async with (
        site.service(WORKERS=workers, CACHE_TTL_SECONDS="300") as service,
        aiohttp.ClientSession() as session,
    ):
        console = Console(service, session)
        for number in range(20):
            await site.send(reading(number))

        async def all_stored() -> bool:
            return len(await site.sequences()) == 20

        await until(all_stored)
        saved = await console.edit(manufacturer="<script>alert('Neu & Söhne')</script>")
        assert saved["effect"]["here"] == "at once"
        # Once more a moment later, in case that a look-up in between was eventually consistent.
        await console.ask("POST", "/metadata/refresh", json={"keys": [{"key": RECORD}]})
        for number in range(20, 40):
            await send_and_wait(site, number)
        tags = await manufacturers(site)
        found, _ = await console.ask("GET", "/devices", params={"q": "<SCRIPT>"})
        await service.finish()
    assert {tags[number] for number in range(20)} == {"Acme Devices Ltd."}
    assert {tags[number] for number in range(20, 40)} == {"<script>alert('Neu & Söhne')</script>"}
    assert found["total"] == 40


async def test_within_the_ttl_a_change_made_elsewhere_is_seen(site: Site) -> None:
    """What another task, or nobody's console, writes is seen when the copy expires."""
    async with site.service(CACHE_TTL_SECONDS="1") as service:
        await send_and_wait(site, 0)
        async with site.stack.client("dynamodb") as dynamodb:
            await dynamodb.update_item(
                TableName=site.stack.environment()["INGESTOR_METADATA_TABLE"],
                Key={"metakey": {"S": RECORD}},
                UpdateExpression="SET manufacturer = :m",
                ExpressionAttributeValues={":m": {"S": "Elsewhere"}},
            )
        number = 0

        async def has_changed() -> bool:
            nonlocal number
            number += 1
            await send_and_wait(site, number)
            return (await manufacturers(site))[number] == "Elsewhere"

        await until(has_changed)
        await service.finish()


async def test_a_dead_letter_is_corrected_replayed_and_stored(site: Site) -> None:
    """From its reason by the corrected mapping, in force after a restart, into InfluxDB."""
    body = reading(7, pressure="12,5")
    async with site.service() as service, aiohttp.ClientSession() as session:
        console = Console(service, session)
        await site.send(body, reading(1))

        async def is_refused() -> bool:
            letters, _ = await console.ask("GET", "/dead-letters")
            return bool(letters["groups"])

        await until(is_refused)
        letters, _ = await console.ask("GET", "/dead-letters")
        [group] = letters["groups"]
        assert (group["stage"], group["reason"], group["count"]) == ("map", "bad-field", 1)
        letter, _ = await console.ask(
            "GET", "/dead-letters/letter", params={"id": group["samples"][0]["id"]}
        )
        assert letter["payload"] == body
        assert body[letter["mark"]["start"] : letter["mark"]["end"]] == '"12,5"'
        assert letter["now"]["refusal"]["reason"] == "bad-field"
        info, _ = await console.ask("GET", "/mapping")
        rule = 'pressureValue = { path = "pressure", type = "float" }'
        assert rule in info["text"]
        corrected = info["text"].replace(
            rule, 'pressureText = { path = "pressure", type = "string" }'
        )
        outcome, _ = await console.ask(
            "POST", "/mapping/try", json={"payload": body, "mapping": corrected}
        )
        assert outcome["ok"]
        await service.finish()
    async with site.service(MAPPING=corrected) as service, aiohttp.ClientSession() as session:
        console = Console(service, session)
        info, _ = await console.ask("GET", "/mapping")
        assert info["text"] == corrected.strip()
        selection = {"stage": "map", "reason": "bad-field"}
        counted, _ = await console.ask("POST", "/dead-letters/count", json=selection)
        assert counted["count"] == 1
        confirmed = {
            "selection": selection,
            "count": 1,
            "confirmation": counted["confirmation"],
        }
        done, _ = await console.ask("POST", "/dead-letters/replay", json=confirmed)
        assert done == {"selected": 1, "done": 1, "left": 0, "notes": []}

        async def is_stored() -> bool:
            return await site.sequences() == [1, 7]

        await until(is_stored)
        counted, _ = await console.ask("POST", "/dead-letters/count", json=selection)
        assert counted["count"] == 0
        text, _ = await console.ask(
            "GET", "/device/series.csv", params={"id": "d7c", "measurement": "pressure"}
        )
        await service.finish()
    header, row = csv.reader(io.StringIO(text))
    assert dict(zip(header, row, strict=True))["pressureText"] == "12,5"


async def test_with_sign_in_tokens_open_the_console_and_nothing_else_does(site: Site) -> None:
    """Signed out: health and the page. A viewer reads, an operator changes."""
    async with Pool().running() as pool:
        service = site.service(CONSOLE_ISSUER=pool.issuer, CONSOLE_CLIENT=CLIENT)
        async with service, aiohttp.ClientSession(service.url) as session:
            answers = {}
            for path in ("/live", "/ready", "/", "/api/v1/session", "/api/v1/figures", "/metrics"):
                async with session.get(path, headers={"X-Forwarded-For": "203.0.113.9"}) as reply:
                    answers[path] = reply.status
            refresh = {"keys": [{"key": RECORD}]}
            found = []
            for groups in (["viewers"], ["operators"], []):
                claims: dict[str, Any] = {"cognito:groups": groups}
                token = pool.token(**claims)
                headers = {"Authorization": f"Bearer {token}"}
                async with session.get("/api/v1/mapping", headers=headers) as reply:
                    read = reply.status
                url = "/api/v1/metadata/refresh"
                async with session.post(url, headers=headers, json=refresh) as reply:
                    found.append((read, reply.status))
            await service.finish()
    assert answers == {
        "/live": 200,
        "/ready": 200,
        "/": 200,
        "/api/v1/session": 401,
        "/api/v1/figures": 401,
        "/metrics": 401,
    }
    assert found == [(200, 403), (200, 200), (403, 403)]
