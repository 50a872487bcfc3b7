"""The garbage collector, kept from stopping the event loop."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_OBJECTS = 10_000
"""So many more objects than went have to come before the collector looks at them."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Within the block the collector leaves alone what is there already.

    What start-up has made stays as long as the process. To look through all of it takes a tenth of
    a second, in which nothing else runs, and finds nothing; under load that was once a minute.
    What messages bring is freed without the collector.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
