"""A client certificate from AWS IoT, with a policy for devices, for as long as it is used."""

import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from loadtest.servers import ServerError

_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:*:*:client/device-*"},
        {
            "Effect": "Allow",
            "Action": "iot:Publish",
            "Resource": ["arn:aws:iot:*:*:topic/pressure/*", "arn:aws:iot:*:*:topic/fleet/*"],
        },
    ],
}


@asynccontextmanager
async def issued(
    client: Callable[[str], Any], authority: str | None = None
) -> AsyncIterator[ssl.SSLContext]:
    """What devices connect with; certificate and policy are gone afterwards.

    `client` opens the client of an AWS service. `authority` is the PEM of who signed the broker's
    certificate, None for those that the system trusts. One certificate serves the whole fleet, as
    AWS allows: what a fleet tests is not AWS's book-keeping of certificates.

    Raises ServerError when AWS IoT does not do as it is told.
    """
    policy = f"loadtest-{uuid4().hex[:12]}"
    async with client("iot") as iot:
        try:
            made = await iot.create_keys_and_certificate(setAsActive=True)
        except (BotoCoreError, ClientError) as exc:
            raise ServerError(f"AWS IoT gives no certificate: {exc}") from exc
        target = {"policyName": policy, "target": made["certificateArn"]}
        try:
            await iot.create_policy(policyName=policy, policyDocument=json.dumps(_POLICY))
            await iot.attach_policy(**target)
            yield _context(made, authority)
        except (BotoCoreError, ClientError) as exc:
            raise ServerError(f"AWS IoT gives no policy: {exc}") from exc
        finally:
            await _clean_up(iot, made["certificateId"], target)


async def _clean_up(iot: Any, certificate: str, target: Mapping[str, str]) -> None:
    """Undo all steps, also those after one that fails: each says what is left."""
    left = []
    for call, arguments in (
        (iot.detach_policy, target),
        (iot.delete_policy, {"policyName": target["policyName"]}),
        (iot.update_certificate, {"certificateId": certificate, "newStatus": "INACTIVE"}),
        (iot.delete_certificate, {"certificateId": certificate}),
    ):
        try:
            await call(**arguments)
        except (BotoCoreError, ClientError) as exc:
            left.append(str(exc))
    if left:
        raise ServerError(f"certificate {certificate} is not cleaned up: {'; '.join(left)}")


def _context(made: Mapping[str, Any], authority: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority)
    # Python takes a key from a file only; this one is read and gone.
    with tempfile.TemporaryDirectory(prefix="ingestor-certificate-") as folder:
        file = Path(folder) / "device.pem"
        file.touch(mode=0o600)
        file.write_text(made["certificatePem"] + made["keyPair"]["PrivateKey"])
        context.load_cert_chain(file)
    return context
