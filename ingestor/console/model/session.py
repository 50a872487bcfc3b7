"""Who asks."""

from typing import Literal

from ingestor.console.model.base import Answer

Role = Literal["viewer", "operator"]
Permission = Literal["read", "metadata:write", "letters:replay", "letters:purge"]


class Link(Answer):
    """The way into another application."""

    name: Literal["grafana", "chronograf"]
    url: str


class Session(Answer):
    """Who asks, and what they may do. Locally nobody signs in, and everything is allowed."""

    mode: Literal["local", "cognito"]
    user: str | None
    role: Role
    permissions: list[Permission]
    links: list[Link]
    version: str
    task: str
    expires_ms: int | None


class SignIn(Answer):
    """`/config.json`: how to sign in. All are null where nobody has to."""

    issuer: str | None
    client: str | None
    signIn: str | None  # noqa: N815 - the name that the deployed file has
