"""What a running service says about itself."""

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


async def figures(url: str) -> dict[str, float]:
    """All of `/metrics`; labels follow the name in the order of theirs: `name/reason/stage`."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        text = await response.text()
    return {
        "/".join((sample.name, *dict(sorted(sample.labels.items())).values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
