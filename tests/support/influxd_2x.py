"""What an influxd 2.x answers while it is set up and used: enough to hold its caller to the order.

Run as the binary itself. It checks what a 2.x checks (variables, token, bodies) and answers with
the shapes of 2.7. It stores nothing.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORG, BUCKET, USER = "0a", "0b", "0c"


class Handler(BaseHTTPRequestHandler):
    """The set-up, the legacy authorization, deletion and the v1 query."""

    token = ""
    users: dict[str, str] = {}  # noqa: RUF012 - the state of the one server of this process

    def do_GET(self) -> None:
        """`/ping`."""
        self.answer(204, None)

    def do_POST(self) -> None:
        """Everything else."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.partition("?")[0]
        if path == "/query":
            basic = self.headers.get("Authorization", "")
            self.answer(200 if basic.startswith("Basic ") else 401, {"results": [{}]})
            return
        sent = json.loads(body)
        if path == "/api/v2/setup":
            if Handler.token:
                self.answer(422, {"message": "onboarding has already been completed"})
                return
            Handler.token = sent["token"]
            self.answer(201, {"org": {"id": ORG}, "bucket": {"id": BUCKET}})
        elif self.headers.get("Authorization") != f"Token {Handler.token}":
            self.answer(401, {"message": "unauthorized access"})
        elif path == "/private/legacy/authorizations":
            resources = [permission["resource"] for permission in sent["permissions"]]
            fine = sent["orgID"] == ORG and all(each["id"] == BUCKET for each in resources)
            self.answer(201 if fine else 400, {"id": USER, "token": sent["token"]})
        elif path == f"/private/legacy/authorizations/{USER}/password":
            self.answer(204 if sent["password"] else 400, None)
        elif path == "/api/v2/delete":
            self.answer(204 if "bucket=readings" in self.path else 404, None)
        else:
            self.answer(404, {"message": "path not found"})

    def answer(self, status: int, body: object) -> None:
        """Send a status and a JSON body."""
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """`version`, or `run` with everything from the environment."""
    if sys.argv[1:] == ["version"]:
        sys.stdout.write("InfluxDB v2.7.12 (git: ec9dcde5d6) build_date: 2025-05-20T22:48:35Z\n")
        return
    for name in ("INFLUXD_BOLT_PATH", "INFLUXD_ENGINE_PATH", "INFLUXD_SQLITE_PATH"):
        assert os.environ[name].startswith(os.environ["HOME"]), name
    host, _, port = os.environ["INFLUXD_HTTP_BIND_ADDRESS"].partition(":")
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
