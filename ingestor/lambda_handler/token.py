"""InfluxDB's token by reference: the function's settings name the secret, not the token."""

from collections.abc import Awaitable, Callable, Mapping

from ingestor.config import Settings, load
from ingestor.config.settings import variable
from ingestor.ports import Clock

SECRET_VARIABLE = f"{variable('influxdb_token')}_SECRET"
"""Names the secret (name or ARN) in Secrets Manager that holds the token."""
FRESH_SECONDS = 300.0
"""How long a token is used before the secret is read again."""

ReadSecret = Callable[[str], Awaitable[str]]


class Configuration:
    """The settings, with the token that the secret holds now.

    Without a secret they are those of the environment, for good.
    """

    def __init__(self, environ: Mapping[str, str], *, read: ReadSecret, clock: Clock) -> None:
        self._environ = {**environ}
        self._secret = self._environ.pop(SECRET_VARIABLE, "").strip()
        self._read = read
        self._clock = clock
        self._read_at: float | None = None
        self._token: str | None = None
        # Every other mistake is told before anything is asked.
        self._settings = self._with("not read yet") if self._secret else load(self._environ)

    @property
    def settings(self) -> Settings:
        """The settings as of the last look."""
        return self._settings

    def distrust(self) -> None:
        """InfluxDB does not take our writes: perhaps there is another token by now."""
        self._read_at = None

    async def refresh(self) -> bool:
        """Read the secret when it is time; whether there is another token than before.

        Raises what `read` raises, and ConfigError when the secret holds no token.
        """
        now = self._clock.monotonic()
        recent = self._read_at is not None and now - self._read_at < FRESH_SECONDS
        if not self._secret or recent:
            return False
        token = await self._read(self._secret)
        self._read_at = now
        if token == self._token:
            return False
        self._settings = self._with(token)
        self._token = token
        return True

    def _with(self, token: str) -> Settings:
        return load({**self._environ, variable("influxdb_token"): token})
