"""Stops the service before a wrong mapping empties the queue into the dead letters."""

from ingestor.core.guard import Guard
from ingestor.core.message import Stage
from ingestor.pipeline.intake import Intake

_STAGES = (Stage.DECODE, Stage.MAP, Stage.WRITE)


class PoisonGuard:
    """Watches each stage by itself, and closes the intake for good when one refuses too much.

    By itself, because messages reach a stage in bursts: what one stage refuses at once would be
    set against what another stage has not got yet.
    """

    def __init__(self, intake: Intake, window: int) -> None:
        self._intake = intake
        self._window = window
        self._guards = {stage: Guard(window) for stage in _STAGES}
        self.tripped = False

    def saw(self, stage: Stage, *, good: int, refused: int) -> None:
        """So many messages have passed a stage, and so many have not."""
        guard = self._guards[stage]
        guard.saw(good, refused=False)
        guard.saw(refused, refused=True)
        if guard.tripped and not self.tripped:
            self.tripped = True
            self._intake.block(
                "guard",
                f"more than half of the last {self._window} messages were refused ({stage}), so "
                "nothing is dead-lettered or received any more: correct the mapping and start "
                "again, or set INGESTOR_GUARD_MESSAGES to 0",
            )
