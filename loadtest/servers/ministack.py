"""MiniStack: IoT Core with its broker and rules, SQS, DynamoDB, Lambda and CloudFormation."""

from collections.abc import Mapping
from http import HTTPStatus

import aiohttp

from loadtest.servers.aws import client_variables
from loadtest.servers.ports import free_port
from loadtest.servers.process import Server
from loadtest.toolchain import ministack_command


class MiniStack(Server):
    """One MiniStack, all services on `port`, all state in memory.

    The MQTT broker is on the same port over WebSocket: path `/mqtt`, header `Host: <mqtt_host>`.
    With `mtls` it also listens on `mtls_port`, and there on every interface, whatever it is told:
    leave it off where nobody needs it.
    """

    name = "ministack"
    region = "us-east-1"
    mtls_port: int | None = None

    def __init__(self, *, mtls: bool = False) -> None:
        self._mtls = mtls
        self._command = ministack_command()

    @property
    def mqtt_host(self) -> str:
        """The host name by which MiniStack knows that a WebSocket is for its broker."""
        return f"iot.{self.region}.localhost"

    def command(self) -> list[str]:
        """See Server."""
        return self._command

    def variables(self) -> Mapping[str, str]:
        """See Server."""
        variables = {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "LOG_LEVEL": "WARNING",
        }
        if self._mtls:
            self.mtls_port = free_port()
            variables |= {"IOT_MTLS_ENABLED": "1", "IOT_MTLS_PORT": str(self.mtls_port)}
        return variables

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        async with session.get(f"{self.url}/_ministack/health") as response:
            return response.status == HTTPStatus.OK

    async def authority(self) -> str:
        """The certificate that signed the one of the `mtls_port`, as PEM.

        Raises ServerError when MiniStack cannot make certificates.
        """
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/_ministack/iot/ca.pem") as response,
        ):
            text = await response.text()
            if not response.ok:
                raise self._error(f"has no certificate authority: {text}")
            return text

    async def reset(self) -> None:
        """Delete everything in every service."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/_ministack/reset") as response,
        ):
            response.raise_for_status()

    def environment(self) -> dict[str, str]:
        """The AWS_* variables that lead botocore here."""
        return client_variables(self.url, self.region)
