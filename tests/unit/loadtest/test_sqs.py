"""The queue of long runs, beyond what the contract of queues asks of it."""

from loadtest.sqs.model import Message, Queue


def make_queue() -> Queue:
    """A queue with a dead-letter queue that takes what was received twice."""
    dead = Queue("dead", {"VisibilityTimeout": "30"})
    return Queue("main", {"VisibilityTimeout": "6"}, dead_letters=dead, most_receives=2)


def send(queue: Queue, *ids: str) -> None:
    """Put messages into it."""
    for each in ids:
        queue.send(Message(each, f"body of {each}", {}, 0))


def test_first_in_first_out_and_hidden_meanwhile() -> None:
    """Messages come in order, at most as many as asked for, and not again before their time."""
    queue = make_queue()
    send(queue, "a", "b", "c")

    assert [each.id for each in queue.receive(2, 100.0, 6)] == ["a", "b"]
    assert queue.depth(100.0) == (1, 2)
    assert [each.id for each in queue.receive(10, 105.9, 6)] == ["c"]
    assert queue.next_visible_at == 106.0
    assert [each.id for each in queue.receive(10, 106.0, 6)] == ["a", "b"]
    assert queue.depth(106.0) == (0, 3)


def test_an_outdated_receipt_succeeds_without_effect() -> None:
    """As in SQS: the delete seems to work, and the message stays for its newest holder."""
    queue = make_queue()
    send(queue, "a")
    (message,) = queue.receive(1, 0.0, 6)
    outdated = message.receipt
    queue.receive(1, 10.0, 6)

    assert queue.delete(outdated) is None
    assert queue.change(outdated, 10.0, 0) is None
    assert queue.depth(10.0) == (0, 1)
    assert queue.delete(message.receipt) is None
    assert queue.depth(100.0) == (0, 0)
    assert queue.receive(1, 100.0, 6) == []


def test_a_late_delete_works_until_somebody_else_has_it() -> None:
    """A message whose time is over can still be deleted as long as nobody received it again."""
    queue = make_queue()
    send(queue, "a")
    (message,) = queue.receive(1, 0.0, 6)
    assert queue.depth(10.0) == (1, 0)

    assert queue.delete(message.receipt) is None

    assert queue.receive(1, 10.0, 6) == []
    assert queue.depth(10.0) == (0, 0)


def test_visibility_can_be_changed_while_it_is_held() -> None:
    """Longer, or over at once; not for what nobody holds, or what is gone."""
    queue = make_queue()
    send(queue, "a")
    (message,) = queue.receive(1, 0.0, 6)
    receipt = message.receipt

    assert queue.change(receipt, 3.0, 6) is None
    assert queue.receive(1, 8.9, 6) == []
    assert queue.change(receipt, 8.9, 0) is None
    assert queue.depth(8.9) == (1, 0)
    assert queue.change(receipt, 8.9, 6) == "MessageNotInflight"
    assert queue.delete(receipt) is None
    assert queue.change(receipt, 8.9, 6) == "InvalidParameterValue"
    assert queue.change("nonsense", 8.9, 6) == "ReceiptHandleIsInvalid"
    assert queue.delete("nonsense") == "ReceiptHandleIsInvalid"


def test_redrive() -> None:
    """What was received as often as allowed goes to the dead-letter queue instead."""
    queue = make_queue()
    send(queue, "a", "b")
    queue.receive(10, 0.0, 6)
    (a, b) = queue.receive(10, 10.0, 6)
    queue.delete(b.receipt)

    assert queue.receive(10, 20.0, 6) == []

    assert queue.depth(20.0) == (0, 0)
    assert queue.dead_letters is not None
    assert [each.body for each in queue.dead_letters.receive(10, 20.0, 30)] == [a.body]


def test_purge() -> None:
    """Nothing is left, whether it waited or was held, and nothing comes back."""
    queue = make_queue()
    send(queue, "a", "b")
    queue.receive(1, 0.0, 6)

    queue.clear()

    assert queue.depth(0.0) == (0, 0)
    assert queue.receive(10, 100.0, 6) == []
