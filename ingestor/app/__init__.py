"""The service, put together: the only place that knows every part."""

from ingestor.app.examine import Examined, examine
from ingestor.app.service import run

__all__ = ["Examined", "examine", "run"]
