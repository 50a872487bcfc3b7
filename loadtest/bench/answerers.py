"""Stand-ins for SQS, DynamoDB and InfluxDB that do next to nothing, each a process of its own.

`python -m loadtest.bench.answerers sqs --port 4000` and so on; `GET /figures` says how much was
asked. They answer what the service asks and check nothing: whoever wants to know whether a service
is right asks the tests.
"""

import argparse
import asyncio
import json
import signal
import ssl
import time
from datetime import UTC, datetime

import msgspec
import uvloop

from loadtest.bench.wire import Answer, Reply, Wire, reply

VISIBILITY_SECONDS = 300
ATTRIBUTES = 5
_LONG_POLL_SECONDS = 10.0
_BATCH = 10
_PRIME = 7919
_LAPS = 3000
"""After so many readings values begin anew; a slice of the texts never ends before it has ten."""
_VALUES = [
    b'","MD5OfBody":"5eb63bbbe01eeed093cb22bb8f5acdc3",'
    b'"Body":"{\\"pressure\\":%d,\\"viscosity\\":%d,\\"sensordatetime\\":\\"'
    % (500 + n % 1000, 25 + n % 75)
    for n in range(_LAPS + _BATCH)
]
_MOMENT = (
    b'%b\\",\\"clientid\\":\\"7d8e2a4c-3b1f-4c5d-9e6f-0a1b2c3d4e5f\\",'
    b'\\"_id_\\":\\"wzCHpAvdm\\",\\"deviceid\\":\\"dev-'
)
_SENT = (
    b'\\",\\"topic\\":\\"pressure/data\\",\\"received_at\\":%d}",'
    b'"Attributes":{"SentTimestamp":"%d","ApproximateReceiveCount":"1"}}'
)
_PARTS = 8
"""Of a message, by which a list of parts is filled with slices."""


def _template(count: int) -> list[bytes]:
    """The parts of an answer with so many messages; empty are those that differ from call to call.

    For each message: start, number of the call, receipt, that number again, values, moment, device,
    end.
    """
    parts = [b""] * (_PARTS * count)
    for n in range(count):
        start = b"," if n else b'{"Messages":['
        handle = b"%0371x" % n
        parts[_PARTS * n] = start + b'{"MessageId":"5f2d1f7e-%04x-4000-8000-' % n
        parts[_PARTS * n + 2] = b'","ReceiptHandle":"%b-' % handle
    return parts


class Sqs:
    """A queue that is never empty, or that gets `rate` messages a second; 0 is no message ever."""

    def __init__(self, *, devices: int, rate: float | None) -> None:
        self._devices = devices
        self._names = [
            b'%07d\\",\\"metakey\\":\\"key-%07d' % (device, device)
            for device in (n * _PRIME % devices for n in range(devices + _BATCH))
        ]
        self._templates = [_template(count) for count in range(_BATCH + 1)]
        self._rate = rate
        self._started = 0.0
        self._second = 0
        self._moment = b""
        self.handed = 0
        self.deleted = 0
        self.calls = 0
        self._done = [
            reply(
                json.dumps(
                    {"Successful": [{"Id": str(n)} for n in range(count)], "Failed": []}
                ).encode()
            )
            for count in range(_BATCH + 1)
        ]
        self._attributes = reply(
            json.dumps(
                {
                    "Attributes": {
                        "VisibilityTimeout": str(VISIBILITY_SECONDS),
                        "MessageRetentionPeriod": "345600",
                        "RedrivePolicy": json.dumps(
                            {"deadLetterTargetArn": "arn:aws:sqs:x:1:d", "maxReceiveCount": 10}
                        ),
                        "ApproximateNumberOfMessages": "0",
                        "ApproximateNumberOfMessagesNotVisible": "0",
                    }
                }
            ).encode()
        )
        self._empty = reply(b"{}")

    def __call__(self, line: bytes, operation: bytes, body: bytes, answer: Reply) -> None:
        """See Answer."""
        if line.startswith(b"GET"):
            figures = {"handed": self.handed, "deleted": self.deleted, "calls": self.calls}
            answer(reply(json.dumps(figures).encode()))
        elif operation == b"ReceiveMessage":
            # What is to come at a rate comes from the first poll on: nothing waits before.
            self._started = self._started or time.time()
            self.calls += 1
            self._receive(answer, time.time() + _LONG_POLL_SECONDS)
        elif operation == b"DeleteMessageBatch":
            count = body.count(b'"Id"')
            self.deleted += count
            answer(self._done[count])
        elif operation in {b"ChangeMessageVisibilityBatch", b"SendMessageBatch"}:
            answer(self._done[body.count(b'"Id"')])
        else:
            answer(self._attributes)

    def _receive(self, answer: Reply, until: float) -> None:
        now = time.time()
        count = _BATCH
        sent_at = now
        if self._rate is not None:
            count = min(_BATCH, int((now - self._started) * self._rate) - self.handed)
            if count <= 0:
                next_at = self._started + (self.handed + 1) / self._rate if self._rate else until
                if now >= until:
                    answer(self._empty)
                else:
                    delay = max(0.0, min(next_at, until) - now)
                    loop = asyncio.get_running_loop()
                    loop.call_later(delay, self._receive, answer, until)
                return
            sent_at = self._started + (self.handed + 1) / self._rate
        answer(reply(self._messages(count, now, sent_at)))

    def _messages(self, count: int, now: float, sent_at: float) -> bytes:
        # Cheaply: what this process takes, it takes from the processor that both share.
        if int(now) != self._second:
            self._second = int(now)
            moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
            self._moment = _MOMENT % moment
        sent_at_ms = int(sent_at * 1000)
        first = self.handed
        device = first % self._devices
        # No device says the same twice: that would be the same reading.
        value = (first + first // self._devices) % _LAPS
        parts = self._templates[count]
        parts[1::_PARTS] = parts[3::_PARTS] = [b"%012x" % first] * count
        parts[4::_PARTS] = _VALUES[value : value + count]
        parts[5::_PARTS] = [self._moment] * count
        parts[6::_PARTS] = self._names[device : device + count]
        parts[7::_PARTS] = [_SENT % (sent_at_ms, sent_at_ms)] * count
        self.handed += count
        return b"".join([*parts, b"]}"])


class DynamoDb:
    """A table that has a record of five attributes for every key."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, line: bytes, operation: bytes, body: bytes, answer: Reply) -> None:
        """See Answer."""
        if line.startswith(b"GET"):
            answer(reply(json.dumps({"asked": self.asked}).encode()))
        elif operation == b"BatchGetItem":
            ((table, wanted),) = msgspec.json.decode(body)["RequestItems"].items()
            items = [_item(key) for key in wanted["Keys"]]
            self.asked += len(items)
            found = {"Responses": {table: items}, "UnprocessedKeys": {}}
            answer(reply(msgspec.json.encode(found)))
        elif operation == b"GetItem":
            self.asked += 1
            answer(reply(msgspec.json.encode({"Item": _item(msgspec.json.decode(body)["Key"])})))
        else:
            table = {"TableStatus": "ACTIVE", "KeySchema": [_KEY], "AttributeDefinitions": []}
            answer(reply(msgspec.json.encode({"Table": table})))


_KEY = {"AttributeName": "metakey", "KeyType": "HASH"}


def _item(key: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    ((_, value),) = key.items()
    (text,) = value.values()
    return {
        **key,
        "manufacturer": {"S": "Acme Devices Ltd."},
        "family": {"S": "sensors"},
        "component_id": {"S": f"component-{text[-4:]}"},
        "site": {"S": f"plant {text[-2:]}"},
        "firmware": {"S": "1.4.2"},
    }


class InfluxDb:
    """Takes every write and forgets it."""

    def __init__(self) -> None:
        self.requests = 0
        self.size_bytes = 0
        self._stored = b"HTTP/1.1 204 No Content\r\n\r\n"

    def __call__(self, line: bytes, operation: bytes, body: bytes, answer: Reply) -> None:
        """See Answer."""
        del operation
        if line.startswith(b"GET"):
            figures = {"requests": self.requests, "size_bytes": self.size_bytes}
            answer(reply(json.dumps(figures).encode()))
            return
        self.requests += 1
        self.size_bytes += len(body)
        answer(self._stored)


async def serve(answer: Answer, port: int, tls: ssl.SSLContext | None) -> None:
    """Answer on this port of 127.0.0.1 until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Wire(answer), "127.0.0.1", port, ssl=tls)
    async with server:
        await stop.wait()


def main() -> None:
    """Run the one that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["sqs", "dynamodb", "influxdb"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--certificate")
    given = parser.parse_args()
    tls = None
    if given.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(given.certificate)
    answer: Answer
    match given.kind:
        case "sqs":
            answer = Sqs(devices=given.devices, rate=given.rate)
        case "dynamodb":
            answer = DynamoDb()
        case _:
            answer = InfluxDb()
    uvloop.run(serve(answer, given.port, tls))


if __name__ == "__main__":
    main()
