"""How often the garbage collector looks at what."""

import gc

from ingestor.app.collector import YOUNG_OBJECTS, rare_collections


def test_what_is_there_is_left_alone() -> None:
    """Within the block, and not after it."""
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == (YOUNG_OBJECTS, *before[1:])
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before
