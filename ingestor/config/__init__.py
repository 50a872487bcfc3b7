"""The configuration: what can be set, where it is read, what is said about mistakes.

The only place of the service that reads `INGESTOR_*` variables.
"""

from ingestor.config.load import load, ops_place
from ingestor.config.mistakes import ConfigError, Mistake
from ingestor.config.settings import Settings
from ingestor.config.table import markdown_table

__all__ = ["ConfigError", "Mistake", "Settings", "load", "markdown_table", "ops_place"]
