"""The service, put together: the only place that knows every part."""

from ingestor.app.examine import Examined, examine
from ingestor.app.start import run, work

__all__ = ["Examined", "examine", "run", "work"]
