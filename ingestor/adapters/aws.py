"""What the adapters for AWS services share: bounded clients, and errors as `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aioboto3
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from botocore.parsers import ResponseParserError

from ingestor.ports import Unavailable

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
CALL_SECONDS = 12.0
"""Longest time for a call, its one repetition included."""

THROTTLING = frozenset(
    {
        "EC2ThrottledException",
        "KMS.ThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_PERMISSION = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "KMS.AccessDeniedException",
        "KmsAccessDenied",
        "UnauthorizedOperation",
    }
)
# What botocore's parser, or we, meet in a body that is no answer of the service: a proxy's page.
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, ResponseParserError)
_LONGEST_CODE = 80


def client_config(*, connections: int, read_seconds: float = READ_SECONDS) -> AioConfig:
    """How to reach a service: a pool of so many connections, short time limits.

    One repetition, for a kept connection that the service closed meanwhile; everything longer
    is the back-off of whoever calls.
    """
    return AioConfig(
        max_pool_connections=connections,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        # The types are checked before; it is an eighth of a call's CPU time.
        parameter_validation=False,
        retries={"mode": "standard", "total_max_attempts": 2},
    )


def make_session(region_name: str | None) -> aioboto3.Session:
    """Where clients come from; without a region's name the environment has it."""
    session = get_session()
    # Every other SDK, and ECS, says AWS_REGION; botocore by itself knows the other one alone.
    regions = ["AWS_REGION", "AWS_DEFAULT_REGION"]
    session.session_var_map["region"] = ("region", regions, None, None)
    return aioboto3.Session(botocore_session=session, region_name=region_name)


@contextmanager
def making_clients(service: str, setup_error: type[Exception]) -> Iterator[None]:
    """Within the block clients are made; without a region that is a `setup_error`."""
    try:
        yield
    except NoRegionError as exc:
        raise setup_error(
            f"No AWS region is set for {service}. Set AWS_REGION, for example to eu-west-1."
        ) from exc
    except BotoCoreError as exc:
        raise Unavailable(f"A client for {service} cannot be made: {_name(exc)}.") from exc


@asynccontextmanager
async def calling(
    service: str, operation: str, *, seconds: float = CALL_SECONDS
) -> AsyncIterator[None]:
    """Within the block one call is made, in so many seconds, and its answer is read.

    Every failure becomes `Unavailable`.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as exc:
        raise Unavailable(f"{service} did not answer {operation} within {seconds:g} s.") from exc
    except ClientError as exc:
        raise _from_answer(service, operation, exc) from exc
    except NoCredentialsError as exc:
        raise Unavailable(
            f"{service} cannot be asked: no AWS credentials were found; give the task a role, "
            "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from exc
    except _UNREADABLE as exc:
        raise Unavailable(f"{service} answered {operation} with something unreadable.") from exc
    except BotoCoreError as exc:
        raise Unavailable(f"{service} cannot be reached for {operation}: {_name(exc)}.") from exc


def code_of(error: ClientError) -> str:
    """The service's error code, in its short form."""
    # Some endpoints answer with the code of the older protocol, which carries the service.
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    return code.removeprefix("AWS.SimpleQueueService.")[:_LONGEST_CODE]


def _from_answer(service: str, operation: str, error: ClientError) -> Unavailable:
    """The service's own words are left out: they can quote what was sent."""
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    answer = f"{service} answered {operation} with {code} (HTTP {status})"
    if code in THROTTLING:
        answer += ": it is asked too often"
    elif code in _CREDENTIALS:
        answer += ": it does not accept our credentials"
    elif code in _PERMISSION:
        answer += ": our role lacks the permission"
    return Unavailable(f"{answer}.", retry_after_seconds=_asked_seconds(error))


def _asked_seconds(error: ClientError) -> float | None:
    """The Retry-After header, where it is a number of seconds."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() and asked.isascii() else None


def _name(error: BotoCoreError) -> str:
    """The kind of failure alone: the text of some of them has the whole request in it."""
    return type(error).__name__
