"""The text of one secret in AWS Secrets Manager."""

from contextlib import AsyncExitStack

from ingestor.adapters.aws import calling, client_config, make_session, making_clients


class SecretSetupError(Exception):
    """The secret cannot be asked for as things are; the text says what to do."""


async def read_secret(
    secret_id: str, *, endpoint_url: str | None = None, region_name: str | None = None
) -> str:
    """The present text of the secret with this name or ARN.

    The client is closed again: who asks every few minutes needs no connection meanwhile.

    Raises:
        SecretSetupError: no region is set, or the secret holds bytes rather than a text.
        Unavailable: Secrets Manager did not answer, or not to us.
    """
    config = client_config(connections=1)
    async with AsyncExitStack() as stack:
        with making_clients("Secrets Manager", SecretSetupError):
            client = await stack.enter_async_context(
                make_session(region_name).client(
                    "secretsmanager", config=config, endpoint_url=endpoint_url
                )
            )
        async with calling("Secrets Manager", "GetSecretValue"):
            answer = await client.get_secret_value(SecretId=secret_id)
    text: str | None = answer.get("SecretString")
    if not text:
        raise SecretSetupError(f"The secret {secret_id} holds no text: store the token as a text.")
    return text
