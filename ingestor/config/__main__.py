"""`python -m ingestor.config ingestor/README.md` renews the option table in that file."""

import sys
from pathlib import Path

from ingestor.config.table import with_table

for name in sys.argv[1:]:
    file = Path(name)
    file.write_text(with_table(file.read_text(encoding="utf-8")), encoding="utf-8")
