"""Where a fleet publishes: the local stack with the service, AWS, or an answerer of the bench."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from botocore.credentials import Credentials

from loadtest.bench.processes import QUEUE_URL, Answerer
from loadtest.devices.describe import Format, Kind
from loadtest.devices.routes import fleet_mapping, rule_sql
from loadtest.fleet.aws import open_iot
from loadtest.fleet.certificates import issued
from loadtest.fleet.desk import Desk
from loadtest.fleet.options import Options, WayIn
from loadtest.fleet.ways import Dial, Mqtt, Sqs, Way
from loadtest.iot.server import Iot
from loadtest.records import Record
from loadtest.servers import ServerError
from loadtest.service import Service
from loadtest.sqs.sender import Queue
from loadtest.stack import Stack, open_stack
from loadtest.toolchain import Api, FoundInfluxd

_MakeWay = Callable[[Desk, int], Way]


@dataclass(slots=True, frozen=True)
class Site:
    """What runs. `make_way` makes the way in, given the desk and the run's start in epoch ms.

    Without a stack and a service there is nobody who stores what is sent.
    """

    make_way: _MakeWay
    stack: Stack | None = None
    service: Service | None = None


@asynccontextmanager
async def open_site(
    options: Options, kinds: Sequence[Kind], records: Sequence[Record],
    found: FoundInfluxd | None, api: Api, name: str,
) -> AsyncIterator[Site]:  # fmt: skip
    """Start everything for the run of that name; ServerError when something does not start."""
    async with AsyncExitStack() as closing:
        if options.way is WayIn.AWS:
            dial = await closing.enter_async_context(open_iot(options.endpoint, name))
            yield Site(_over_mqtt(dial, options))
            return
        if options.way is WayIn.ANSWERER:
            answerer = await closing.enter_async_context(Answerer("sqs"))
            yield Site(_into_queue(QUEUE_URL, answerer.url, "eu-west-1"))
            return
        if found is None:
            raise ServerError(f"the way {options.way} needs an InfluxDB")
        mtls = options.way is WayIn.MQTTS
        # MiniStack's rules reach its own queues alone, whose cost grows with what waits in them.
        fast = options.way in (WayIn.SQS, WayIn.MQTT)
        stack = await closing.enter_async_context(
            open_stack(found, api, records, mtls=mtls, fast_queue=fast)
        )
        if not fast:
            for kind in kinds:
                if kind.format is not Format.SIMULATOR:
                    await stack.add_rule(kind.name, rule_sql(kind))
        stack.mapping = fleet_mapping(kinds)
        ministack = stack.ministack
        make_way = _into_queue(stack.queue_url, stack.sqs_url, ministack.region)
        if options.way is WayIn.WS:
            broker = stack.broker
            dial = Dial(
                broker.host,
                broker.port,
                transport="websockets",
                websocket_headers={"Host": broker.name},
            )
            make_way = _over_mqtt(dial, options)
        elif options.way is WayIn.MQTT:
            iot = await closing.enter_async_context(stand_in(stack, map(rule_sql, kinds)))
            make_way = _over_mqtt(Dial("127.0.0.1", iot.port), options)
        elif mtls:
            authority = await ministack.authority()
            certificate = await closing.enter_async_context(issued(stack.client, name, authority))
            dial = Dial(
                "127.0.0.1",
                ministack.mtls_port or 0,
                certificate.context,
                prefix=certificate.prefix,
            )
            make_way = _over_mqtt(dial, options)
        service = await closing.enter_async_context(
            Service(stack.environment() | {"AWS_ENDPOINT_URL_SQS": stack.sqs_url})
        )
        yield Site(make_way, stack, service)


def stand_in(stack: Stack, rules: Iterable[str]) -> Iot:
    """A broker of ours whose rules lead into the fast queue of a stack."""
    if stack.fast_queue is None:
        raise ServerError("the rules of the stand-in lead into its fast queue, and there is none")
    return Iot(
        stack.fast_queue,
        sorted(set(rules)),
        queue_url=stack.queue_url,
        error_queue_url=stack.rule_error_queue_url,
    )


def _over_mqtt(dial: Dial, options: Options) -> _MakeWay:
    def make(desk: Desk, start_ms: int) -> Way:
        del start_ms
        return Mqtt(desk, dial, options.devices, most_connections=options.connections)

    return make


def _into_queue(url: str, endpoint: str, region: str) -> _MakeWay:
    queue = Queue(url, endpoint, region, Credentials("test", "test"))

    def make(desk: Desk, start_ms: int) -> Way:
        return Sqs(desk, queue, start_ms=start_ms)

    return make
