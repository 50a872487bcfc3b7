"""`python -m loadtest.dashboards`: fills an InfluxDB, runs every query, draws the dashboards.

For people without Grafana, and for whoever wants to see what a change looks like. The pictures
are renderings of the query results, not screenshots.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from loadtest.dashboards.boards import GRAFANA, all_queries, load_boards
from loadtest.dashboards.live import filled_influxd, surroundings
from loadtest.dashboards.picture import draw
from loadtest.dashboards.results import ask, panel_series
from loadtest.servers import ServerError
from loadtest.toolchain import ToolchainError, find_influxd

_END_SECONDS = 4


async def render(seconds: float, devices: int) -> dict[str, str]:
    """Run, ask, draw: pictures by dashboard. ServerError when a query fails or finds nothing."""
    found = find_influxd()
    boards = load_boards()
    queries = all_queries()
    pictures = {}
    async with filled_influxd(found, seconds=seconds, devices=devices) as influxd:
        # Without the seconds in which the run ends.
        around = await surroundings(influxd, seconds=seconds, ago=_END_SECONDS)
        empty = [each.place for each in queries if not await ask(influxd, around.fill(each.text))]
        note = (
            f"A rendering of query results, not a screenshot. {devices} devices, {seconds:g} s, "
            f"InfluxDB {found.version}, {datetime.now(UTC):%Y-%m-%d}."
        )
        for name, board in boards.items():
            shown = [panel for panel in board["panels"] if panel["targets"]]
            if shown:
                series = {each["id"]: await panel_series(influxd, each, around) for each in shown}
                pictures[name] = draw(board, series, note)
    panels = sum(len(board["panels"]) for board in boards.values())
    print(  # noqa: T201 - a command
        f"{len(boards)} dashboards, {panels} panels, {len(queries)} queries, "
        f"{len(queries) - len(empty)} of them with rows"
    )
    if empty:
        raise ServerError(f"no rows: {', '.join(empty)}")
    return pictures


def main() -> int:
    """0 when every query returned rows, 1 with the reason when not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--devices", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=GRAFANA / "previews")
    given = parser.parse_args()
    try:
        pictures = asyncio.run(render(given.seconds, given.devices))
    except (ServerError, ToolchainError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        (given.folder / f"{name}.svg").write_text(picture, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
