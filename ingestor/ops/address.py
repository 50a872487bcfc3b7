"""Where to find an ops server, from what it listens on."""

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - names, not a bind


def address(host: str, port: int) -> str:
    """The URL to open on the same machine, without a slash at its end."""
    host = _ANYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
