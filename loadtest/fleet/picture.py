"""A picture of a page, for READMEs: `python -m loadtest.fleet.picture build/fleet.html out.png`."""

import argparse
import asyncio
import sys
from pathlib import Path

from loadtest.chromium import find_chromium
from loadtest.servers import ServerError
from loadtest.servers.chromium import Chromium
from loadtest.toolchain import ToolchainError


async def draw(address: str, height: int | None) -> bytes:
    """The page at this address as Chromium draws it, or so many pixels of it, a PNG."""
    async with (
        Chromium(find_chromium()) as browser,
        browser.visit(address) as opened,
    ):
        return await opened.picture(height=height)


def main(arguments: list[str] | None = None) -> int:
    """0 when it is drawn, 1 with the reason when not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--height", type=int, help="Pixels from the top; not given: all of it.")
    given = parser.parse_args(arguments)
    try:
        given.picture.write_bytes(asyncio.run(draw(given.page.absolute().as_uri(), given.height)))
    except (ServerError, ToolchainError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
