"""Where to find an ops server."""

import pytest

from ingestor.ops.address import address


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("ops.internal", "http://ops.internal:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104 - a name to be replaced
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
    ],
)
def test_a_server_that_listens_everywhere_is_found_on_this_machine(
    host: str, expected: str
) -> None:
    """What means everywhere is no address to open; IPv6 addresses stand in brackets."""
    assert address(host, 80) == expected
