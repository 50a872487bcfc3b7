"""A client certificate from AWS IoT, with a policy for devices, for as long as it is used."""

import asyncio
import json
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from loadtest.servers import ServerError

TAKEN_BACK_SECONDS = 300.0
"""So long after it was detached AWS may refuse to delete a policy."""

_AGAIN_SECONDS = 5.0


@dataclass(slots=True, frozen=True)
class Issued:
    """What devices connect with. Their client names begin with `prefix`: nobody else's do."""

    context: ssl.SSLContext
    prefix: str


@asynccontextmanager
async def issued(
    client: Callable[[str], Any],
    name: str,
    authority: str | None = None,
    *,
    again_seconds: float = _AGAIN_SECONDS,
) -> AsyncIterator[Issued]:
    """Make certificate and policy; both are gone afterwards, also when the block is cancelled.

    `client` opens the client of an AWS service. `name` is that of the policy; where a run that was
    killed has left it, it goes on being used, and that run's certificate is deleted. `authority` is
    the PEM of who signed the broker's certificate, None for those that the system trusts. One
    certificate serves the whole fleet, as AWS allows: what a fleet tests is not AWS's book-keeping
    of certificates. A policy that AWS does not delete yet is tried again every `again_seconds`, for
    five minutes.

    Raises ServerError when AWS IoT does not do as it is told, or what is left cannot be deleted.
    """
    try:
        async with client("iot") as iot:
            try:
                made = await iot.create_keys_and_certificate(setAsActive=True)
            except (BotoCoreError, ClientError) as exc:
                raise ServerError(f"AWS IoT gives no certificate: {exc}") from exc
            target = {"policyName": name, "target": made["certificateArn"]}
            policy = _policy(made["certificateArn"], name)
            try:
                if not await _take_over(iot, name, again_seconds):
                    await iot.create_policy(policyName=name, policyDocument=json.dumps(policy))
                await iot.attach_policy(**target)
                yield Issued(_context(made, authority), f"{name}-")
            except (BotoCoreError, ClientError) as exc:
                raise ServerError(f"AWS IoT gives no policy: {exc}") from exc
            finally:
                await _undisturbed(_clean_up(iot, made["certificateId"], target, again_seconds))
    except BotoCoreError as exc:  # there are no credentials, or no region
        raise ServerError(f"AWS IoT cannot be asked: {exc}") from exc


def _policy(certificate_arn: str, name: str) -> dict[str, Any]:
    """May connect as devices of this run, and publish where devices do."""
    account = certificate_arn.rpartition(":")[0]
    topics = ("pressure/*", "fleet/*")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{account}:client/{name}-*"},
            {
                "Effect": "Allow",
                "Action": "iot:Publish",
                "Resource": [f"{account}:topic/{topic}" for topic in topics],
            },
        ],
    }


async def _take_over(iot: Any, name: str, again_seconds: float) -> bool:
    """Delete the certificates that a policy of this name has; whether there is one."""
    try:
        targets = (await iot.list_targets_for_policy(policyName=name))["targets"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    for arn in targets:
        certificate = arn.rpartition("/")[2]
        await iot.update_certificate(certificateId=certificate, newStatus="INACTIVE")
        await iot.detach_policy(policyName=name, target=arn)
        await _patiently(iot.delete_certificate, {"certificateId": certificate}, again_seconds)
    return True


async def _undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Finish the work, also when a signal cancels the run meanwhile; then let that happen."""
    task = asyncio.create_task(work, name="clean-up")
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


async def _clean_up(
    iot: Any, certificate: str, target: Mapping[str, str], again_seconds: float
) -> None:
    """Undo all steps, also those after one that fails: each says what is left."""
    left = []
    for call, arguments in (
        (iot.update_certificate, {"certificateId": certificate, "newStatus": "INACTIVE"}),
        (iot.detach_policy, target),
        (iot.delete_certificate, {"certificateId": certificate}),
        (iot.delete_policy, {"policyName": target["policyName"]}),
    ):
        try:
            await _patiently(call, arguments, again_seconds)
        except (BotoCoreError, ClientError) as exc:
            left.append(str(exc))
    if left:
        what = f"certificate {certificate} and policy {target['policyName']}"
        raise ServerError(f"{what} are not cleaned up: {'; '.join(left)}")


async def _patiently(
    call: Callable[..., Any], arguments: Mapping[str, str], again_seconds: float
) -> None:
    """Try again while AWS says that something is still in use."""
    deadline = time.monotonic() + TAKEN_BACK_SECONDS
    while True:
        try:
            await call(**arguments)
        except ClientError as exc:
            in_use = exc.response["Error"]["Code"] == "DeleteConflictException"
            if not in_use or time.monotonic() > deadline:
                raise
        else:
            return
        await asyncio.sleep(again_seconds)


def _context(made: Mapping[str, Any], authority: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority)
    # Python takes a key from a file only; this one is read and gone.
    with tempfile.TemporaryDirectory(prefix="ingestor-certificate-") as folder:
        file = Path(folder) / "device.pem"
        file.touch(mode=0o600)
        file.write_text(made["certificatePem"] + made["keyPair"]["PrivateKey"])
        context.load_cert_chain(file)
    return context
