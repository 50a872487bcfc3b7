"""The end of messages that have several lines."""

from support.rig import reading, rig

from ingestor.core.message import Attributes, Message, Reason, Rejected, Stage, State

REFUSAL = Rejected(Stage.WRITE, Reason.REFUSED_BY_INFLUXDB, "no")


def of_two_lines() -> Message:
    """A message of which two lines are open."""
    return Message("id", "handle", reading(1), Attributes(0), open_lines=2, state=State.WRITING)


def test_one_of_two_lines_refused() -> None:
    """The message waits for its other line before it is dead-lettered."""
    settler, message = rig().pipeline.settler, of_two_lines()

    settler.line_refused(message, REFUSAL)
    assert len(settler) == 0

    settler.lines_stored([message])
    assert len(settler) == 1
    assert message.rejection is REFUSAL


def test_both_of_two_lines_refused() -> None:
    """It is one refused message, with the reason of the first line."""
    r = rig(guard_messages=2)
    settler, message = r.pipeline.settler, of_two_lines()

    settler.line_refused(message, REFUSAL)
    settler.line_refused(message, Rejected(Stage.WRITE, Reason.LINE_TOO_LARGE, "too"))

    assert len(settler) == 1
    assert message.rejection is REFUSAL
    assert "guard" not in r.telemetry.down


def test_nothing_to_reject_or_release() -> None:
    """Empty lists wake nobody."""
    settler = rig().pipeline.settler

    settler.reject([])
    settler.release([], 0, why="nothing")

    assert len(settler) == 0
