"""What the adapters for AWS services share: bounded clients, and errors as `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aioboto3
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session

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
CREDENTIALS = frozenset(
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
UNTRUSTED = (
    "its certificate is not signed by anybody we trust, or is another host's; name the file of its "
    "authority in AWS_CA_BUNDLE"
)
_REGION_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"]
"""Every other SDK, and ECS, says AWS_REGION; botocore by itself knows the other one alone."""


class ErrorAnswer(Unavailable):
    """The service answered with an error; `code` is its short form."""

    def __init__(self, reason: str, *, code: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason, retry_after_seconds=retry_after_seconds)
        self.code = code


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
    know_region_variables(session)
    return aioboto3.Session(botocore_session=session, region_name=region_name)


def know_region_variables(session: Session) -> None:
    """Let a session of botocore find its region where others do."""
    session.session_var_map["region"] = ("region", _REGION_VARIABLES, None, None)


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
        raise Unavailable(no_credentials(service)) from exc
    except _UNREADABLE as exc:
        raise unreadable(service, operation) from exc
    except BotoCoreError as exc:
        raise Unavailable(f"{service} cannot be reached for {operation}: {_name(exc)}.") from exc


def code_of(error: ClientError) -> str:
    """The service's error code, in its short form."""
    # Some endpoints answer with the code of the older protocol, which carries the service.
    return short_code(str(error.response.get("Error", {}).get("Code", "Unknown")))


def short_code(code: str) -> str:
    """An error code without what the older protocol, and the newer, put in front of it."""
    return code.rpartition("#")[2].removeprefix("AWS.SimpleQueueService.")[:_LONGEST_CODE]


def no_credentials(service: str) -> str:
    """What to tell when the chain of credentials ends without any."""
    return (
        f"{service} cannot be asked: no AWS credentials were found; give the task a role, "
        "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    )


def unreadable(service: str, operation: str) -> Unavailable:
    """The answer is none of the service's: a proxy's page."""
    return Unavailable(f"{service} answered {operation} with something unreadable.")


def _from_answer(service: str, operation: str, error: ClientError) -> ErrorAnswer:
    about = error.response.get("ResponseMetadata", {})
    headers = about.get("HTTPHeaders", {})
    return error_answer(
        service,
        operation,
        code=code_of(error),
        status=about.get("HTTPStatusCode"),
        retry_after=headers.get("retry-after", ""),
    )


def error_answer(
    service: str, operation: str, *, code: str, status: int | None, retry_after: str
) -> ErrorAnswer:
    """The failure of a call. The service's own words are left out: they can quote what was sent.

    `retry_after` is the header of that name, used where it is a number of seconds.
    """
    answer = f"{service} answered {operation} with {code} (HTTP {status})"
    if code in THROTTLING:
        answer += ": it is asked too often"
    elif code in CREDENTIALS:
        answer += ": it does not accept our credentials"
    elif code in _PERMISSION:
        answer += ": our role lacks the permission"
    numeric = retry_after.isdecimal() and retry_after.isascii()
    seconds = float(retry_after) if numeric else None
    return ErrorAnswer(f"{answer}.", code=code, retry_after_seconds=seconds)


def _name(error: BotoCoreError) -> str:
    """The kind of failure alone: the text of some of them has the whole request in it."""
    return UNTRUSTED if isinstance(error, SSLError) else type(error).__name__
