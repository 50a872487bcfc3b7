"""A real InfluxDB: 1.x by a configuration file, 2.x by variables and its set-up call."""

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import aiohttp

from loadtest.servers import locked
from loadtest.servers.disk import SmallDisk
from loadtest.servers.ports import free_port
from loadtest.servers.process import Server, ServerError
from loadtest.toolchain import FoundInfluxd, describe_influxd

_TIMEOUT = aiohttp.ClientTimeout(total=60)
_ADMIN = "admin"
_ADMIN_PASSWORD = "admin-password"  # noqa: S105 - of a server that lives for minutes on loopback
_OPERATOR_TOKEN = "operator-token"  # noqa: S105 - of a server that lives for minutes on loopback
_ORG = "ingestor"
_DATABASE = "readings"
_USERNAME = "ingestor"
_PASSWORD = "ingestor-password"  # noqa: S105 - of a server that lives for minutes on loopback

_CONFIGURATION_1X = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"

[meta]
dir = "{folder}/meta"

[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false

[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = {auth}
flux-enabled = {flux}
log-enabled = false

[logging]
level = "warn"

[monitor]
store-enabled = false

[subscriber]
enabled = false

[continuous_queries]
enabled = false
"""


class Influxd(Server):
    """An influxd with one database (bucket) and one user who may read and write it, no more.

    `api` says which write API `environment()` names; a server that has both answers on both:
    v1 with `database`, `username`, `password`, v2 with `org`, `bucket`, `token`. On 1.8 the token
    is `user:password` and the bucket `database/retention policy`; on 2.x it is the operator's.
    Without `auth` (1.x only) everybody may do everything. `settings` are variables such as
    INFLUXDB_HTTP_MAX_BODY_SIZE, by which influxd lets any option be changed. Its data are
    in `folder`, or on `disk`. A second server on the same data is refused.

    Raises ServerError when the binary does not serve `api`.
    """

    name = "influxd"

    def __init__(
        self,
        binary: Path | FoundInfluxd,
        *,
        api: Literal["v1", "v2"],
        auth: bool = True,
        settings: Mapping[str, str] | None = None,
        disk: SmallDisk | None = None,
    ) -> None:
        self.found = binary if isinstance(binary, FoundInfluxd) else describe_influxd(binary)
        if api not in self.found.apis:
            raise ServerError(
                f"{self.found.path} is InfluxDB {self.found.version}, which has no {api} write "
                "API: name another binary in INGESTOR_TEST_INFLUXD (1.8 and 2.x have both)"
            )
        if not auth and self._is_2x:
            raise ServerError("InfluxDB 2.x cannot be run without authentication")
        self.api = api
        self.auth = auth
        self._settings = settings or {}
        self._disk = disk
        self.org = _ORG
        self.database = _DATABASE
        self.username = _USERNAME
        self.password = _PASSWORD
        self.bucket = _DATABASE if self._is_2x else f"{_DATABASE}/autogen"
        self.token = _OPERATOR_TOKEN if self._is_2x else f"{_USERNAME}:{_PASSWORD}"

    def command(self) -> list[str]:
        """See Server."""
        self._data.mkdir(exist_ok=True)
        run = [sys.executable, "-I", locked.__file__, str(self._data), *self._run()]
        return self._disk.enter(run) if self._disk else run

    @property
    def _data(self) -> Path:
        return self._disk.folder if self._disk else self.folder / "influxdb"

    def _run(self) -> list[str]:
        if self._is_2x:
            return [str(self.found.path), "run"]
        configuration = self.folder / "influxdb.conf"
        configuration.write_text(
            _CONFIGURATION_1X.format(
                folder=self._data,
                port=self.port,
                rpc_port=free_port(),
                auth=str(self.auth).lower(),
                flux=str("v2" in self.found.apis).lower(),
            )
        )
        return [str(self.found.path), "run", "-config", str(configuration)]

    def variables(self) -> Mapping[str, str]:
        """See Server."""
        if not self._is_2x:
            return self._settings
        return {
            "INFLUXD_HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}",
            "INFLUXD_BOLT_PATH": str(self._data / "influxd.bolt"),
            "INFLUXD_SQLITE_PATH": str(self._data / "influxd.sqlite"),
            "INFLUXD_ENGINE_PATH": str(self._data / "engine"),
            "INFLUXD_LOG_LEVEL": "warn",
            "INFLUXD_REPORTING_DISABLED": "true",
            "INFLUXD_UI_DISABLED": "true",
            **self._settings,
        }

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        async with session.get(f"{self.url}/ping") as response:
            return response.status == HTTPStatus.NO_CONTENT

    async def set_up(self) -> None:
        """See Server."""
        if self._is_2x:
            await self._set_up_2x()
        else:
            await self._set_up_1x()

    def environment(self) -> dict[str, str]:
        """The INGESTOR_INFLUXDB_* variables of a service that writes here by `api`."""
        address = {"INGESTOR_INFLUXDB_API": self.api, "INGESTOR_INFLUXDB_URL": self.url}
        if self.api == "v2":
            return address | {
                "INGESTOR_INFLUXDB_ORG": self.org,
                "INGESTOR_INFLUXDB_BUCKET": self.bucket,
                "INGESTOR_INFLUXDB_TOKEN": self.token,
            }
        return address | {
            "INGESTOR_INFLUXDB_DATABASE": self.database,
            "INGESTOR_INFLUXDB_USERNAME": self.username,
            "INGESTOR_INFLUXDB_PASSWORD": self.password,
        }

    async def query_influxql(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query on `database`, on any version; times are epoch nanoseconds.

        A row holds its columns, and the tags that a GROUP BY took out of them. Raises ServerError
        when InfluxDB answers with an error, errors of aiohttp when it does not answer.
        """
        return await self._influxql(query, self._login(self.username, self.password))

    async def administrate(self, statement: str) -> list[dict[str, Any]]:
        """Run an InfluxQL statement as the administrator (1.x)."""
        return await self._influxql(statement, self._login(_ADMIN, _ADMIN_PASSWORD))

    async def keep_an_hour(self) -> None:
        """From now on refuse points that are older than that (1.x)."""
        policy = f'"autogen" ON "{self.database}"'
        await self.administrate(f"ALTER RETENTION POLICY {policy} DURATION 1h SHARD DURATION 1h")

    async def clear(self) -> None:
        """Delete everything that was stored."""
        if not self._is_2x:
            await self.administrate("DROP SERIES FROM /.*/")
            return
        everything = {"start": "1677-09-21T00:12:44Z", "stop": "2262-04-11T23:47:16Z"}
        where = f"org={self.org}&bucket={self.bucket}"
        await self._call_2x(f"/api/v2/delete?{where}", everything)

    @property
    def _is_2x(self) -> bool:
        return self.found.version.startswith("2.")

    def _login(self, user: str, password: str) -> dict[str, str]:
        if not self.auth:
            return {}
        return {"Authorization": aiohttp.encode_basic_auth(user, password)}

    async def _set_up_1x(self) -> None:
        admin = self._login(_ADMIN, _ADMIN_PASSWORD)
        if self.auth:  # the first statement that needs no authentication, and the last
            await self._influxql(
                f"CREATE USER {_ADMIN} WITH PASSWORD '{_ADMIN_PASSWORD}' WITH ALL PRIVILEGES", {}
            )
        await self._influxql(f"CREATE DATABASE {_DATABASE}", admin)
        await self._influxql(f"CREATE USER {_USERNAME} WITH PASSWORD '{_PASSWORD}'", admin)
        await self._influxql(f"GRANT ALL ON {_DATABASE} TO {_USERNAME}", admin)

    async def _set_up_2x(self) -> None:
        answer = await self._call_2x(
            "/api/v2/setup",
            {
                "username": _ADMIN,
                "password": _ADMIN_PASSWORD,
                "org": _ORG,
                "bucket": _DATABASE,
                "token": _OPERATOR_TOKEN,
            },
        )
        # User and password for the v1 API, which 2.x calls a legacy authorization.
        org = answer["org"]["id"]
        bucket = {"type": "buckets", "id": answer["bucket"]["id"], "orgID": org}
        permissions = [{"action": action, "resource": bucket} for action in ("read", "write")]
        user = {"token": _USERNAME, "orgID": org, "permissions": permissions}
        answer = await self._call_2x("/private/legacy/authorizations", user)
        password_path = f"/private/legacy/authorizations/{answer['id']}/password"
        await self._call_2x(password_path, {"password": _PASSWORD})

    async def _call_2x(self, path: str, body: Mapping[str, object]) -> Any:
        headers = {"Authorization": f"Token {_OPERATOR_TOKEN}"}
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.post(f"{self.url}{path}", json=body, headers=headers) as response,
        ):
            answer = await response.text()
            if not response.ok:
                raise ServerError(f"influxd {self.found.version}: POST {path}: {answer}")
            return json.loads(answer or "null")

    async def _influxql(self, query: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
        form = {"db": self.database, "epoch": "ns", "q": query}
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.post(f"{self.url}/query", data=form, headers=headers) as response,
        ):
            text = await response.text()
            answer: dict[str, Any] = json.loads(text) if response.ok else {"error": text}
        results = answer.get("results", [])
        for part in (answer, *results):
            if "error" in part:
                raise ServerError(f"influxd {self.found.version}: {query}: {part['error']}")
        return [
            dict(zip(series["columns"], values, strict=True)) | series.get("tags", {})
            for result in results
            for series in result.get("series", [])
            for values in series["values"]
        ]
