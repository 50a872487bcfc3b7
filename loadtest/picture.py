"""A picture of a page, for READMEs: `python -m loadtest.picture build/fleet.html out.png`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from loadtest.chromium import find_chromium
from loadtest.servers import ServerError
from loadtest.servers.chromium import Chromium
from loadtest.toolchain import ToolchainError


class NoPictureError(Exception):
    """Nothing could be drawn; the text says what is missing."""


def draw(
    pages: Sequence[Path], *, width: int | None = None, height: int | None = None, scale: float = 1
) -> list[bytes]:
    """Each page as Chromium draws it, a PNG: all of it, or so many pixels from its top and left.

    Raises:
        NoPictureError: there is no Chromium, or it does not work.
    """

    async def drawn() -> list[bytes]:
        pictures = []
        async with Chromium(find_chromium()) as browser:
            for page in pages:
                async with browser.visit(page.absolute().as_uri()) as opened:
                    picture = await opened.picture(width=width, height=height, scale=scale)
                    pictures.append(picture)
        return pictures

    try:
        return asyncio.run(drawn())
    except (ServerError, ToolchainError) as error:
        raise NoPictureError(str(error)) from error


def main(arguments: list[str] | None = None) -> int:
    """0 when it is drawn, 1 with the reason when not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--height", type=int, help="Pixels from the top; not given: all of it.")
    given = parser.parse_args(arguments)
    try:
        [picture] = draw([given.page], height=given.height)
    except NoPictureError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    given.picture.write_bytes(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
