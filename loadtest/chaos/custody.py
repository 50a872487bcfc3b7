"""What the service was handed over and has not given back, as the proxy before SQS sees it."""

import json
from typing import Any

from loadtest.proxy import Reply, Request, aws_operation

_OK = 200


class Custody:
    """Counts receives, and knows which messages the present service still has to settle.

    Judged by what the service was told: an entry whose delete was answered with success is settled,
    even where the proxy made that up.

    `left_behind` counts messages that a service still had when it had stopped cleanly, and that
    came again. What it had and did not come was deleted, only it was never told.
    """

    def __init__(self) -> None:
        self.received = 0
        self.redelivered = 0
        self.left_behind = 0
        self._left: set[str] = set()
        self._receipts: dict[str, set[str]] = {}
        self._messages: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._receipts)

    def told(self, request: Request, reply: Reply) -> None:
        """The service has got a whole reply."""
        if reply.status != _OK:
            return
        match aws_operation(request):
            case "ReceiveMessage":
                self._receive(reply)
            case "DeleteMessageBatch":
                self._delete(request, reply)

    def killed(self) -> None:
        """The service was killed: whatever it had comes again, rightly."""
        self._receipts.clear()
        self._messages.clear()

    def stopped(self) -> None:
        """The service has stopped cleanly: nothing that it had may come again."""
        self._left |= self._receipts.keys()
        self._receipts.clear()
        self._messages.clear()

    def _receive(self, reply: Reply) -> None:
        for message in _content(reply.body).get("Messages", []):
            self.received += 1
            self.redelivered += message["Attributes"]["ApproximateReceiveCount"] != "1"
            message_id, receipt = message["MessageId"], message["ReceiptHandle"]
            if message_id in self._left:
                self._left.remove(message_id)
                self.left_behind += 1
            self._receipts.setdefault(message_id, set()).add(receipt)
            self._messages[receipt] = message_id

    def _delete(self, request: Request, reply: Reply) -> None:
        receipts = {each["Id"]: each["ReceiptHandle"] for each in _content(request.body)["Entries"]}
        for each in _content(reply.body).get("Successful", []):
            message_id = self._messages.get(receipts[each["Id"]])
            if message_id is not None:
                # With all its receipts: a message that came twice is settled by one delete.
                for receipt in self._receipts.pop(message_id):
                    del self._messages[receipt]


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:  # the page of another proxy
        return {}
    return content if isinstance(content, dict) else {}
