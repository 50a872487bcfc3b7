"""Who may do what: on this machine everybody everything, elsewhere what a signed token says."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol, TypeGuard

from aiohttp import web
from yarl import URL

from ingestor.console.model import Permission, Role
from ingestor.console.problems import Refuse
from ingestor.console_ports import NotSignedIn, TokenVerifier

ALLOWED: Mapping[Role, tuple[Permission, ...]] = {
    "viewer": ("read",),
    "operator": ("read", "metadata:write", "letters:replay", "letters:purge"),
}
ROLE_OF_GROUP: Mapping[str, Role] = {"viewers": "viewer", "operators": "operator"}
"""The groups of `cfn/console.yaml`."""
LONGEST_TOKEN = 8192


@dataclass(slots=True, frozen=True)
class Identity:
    """Who asks; `expires_ms` is None where nobody signs in."""

    user: str | None
    role: Role
    expires_ms: int | None

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What they may do."""
        return ALLOWED[self.role]


class Access(Protocol):
    """Decides about one request."""

    mode: str

    async def identify(self, request: web.Request) -> Identity:
        """Who asks; raises `Refuse`."""
        ...


class LocalAccess:
    """Everything for whoever is on this machine; only for a server that is bound to loopback.

    Pages of other origins are on this machine too. They are told by the name that they called us
    by (a name of theirs that resolves to 127.0.0.1), and by their Origin.
    """

    mode = "local"

    async def identify(self, request: web.Request) -> Identity:
        """See Access."""
        host = request.host
        if not is_loopback_name(_name(host)):
            raise Refuse(421, "This server is called 127.0.0.1 or localhost, and by no other name.")
        check_origin(request, host)
        return Identity(None, "operator", None)


class NoAccess:
    """Nothing for anybody: reachable from elsewhere, and nobody could sign in."""

    mode = "local"

    async def identify(self, request: web.Request) -> Identity:  # noqa: ARG002 - see Access
        """See Access."""
        raise Refuse(
            403,
            "The console needs sign-in where the server listens beyond this machine: set "
            "INGESTOR_CONSOLE_ISSUER and INGESTOR_CONSOLE_CLIENT, or INGESTOR_OPS_HOST=127.0.0.1.",
        )


class TokenAccess:
    """What the group in an access token allows. There is no cookie, so no page can ask unasked."""

    mode = "cognito"

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def identify(self, request: web.Request) -> Identity:
        """See Access."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN:
            raise Refuse(401, "Sign in.", headers={"WWW-Authenticate": "Bearer"})
        try:
            claims = await self._verifier.claims(token)
        except NotSignedIn as error:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Refuse(401, f"Sign in again: {error}.", headers=headers) from error
        role = role_of(claims.get("cognito:groups"))
        if role is None:
            raise Refuse(403, "You are in none of the groups that may see the console.")
        user = str(claims.get("username") or claims.get("sub") or "")[:200]
        return Identity(user, role, int(claims["exp"]) * 1000)


def role_of(groups: object) -> Role | None:
    """The role that allows the most, of those that the groups give."""
    found = {ROLE_OF_GROUP.get(each) for each in groups} if _is_texts(groups) else set()
    return next((role for role in ("operator", "viewer") if role in found), None)


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def check_origin(request: web.Request, host: str) -> None:
    """Refuse what a page of another origin asks; raises `Refuse`."""
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        raise Refuse(403, "Only the console's own page may ask.")
    origin = request.headers.get("Origin")
    if origin is not None and origin not in {f"http://{host}", f"https://{host}"}:
        raise Refuse(403, "Only the console's own page may ask.")


def is_loopback_name(name: str) -> bool:
    """Whether a host, without port and brackets, is this machine by its name."""
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """The host of a Host header, without port and brackets; empty when it is none."""
    try:
        return URL(f"http://{host}").host or ""
    except ValueError:
        return ""
