"""`python -m ingestor` is `ingestor`."""

from ingestor.cli import main

main()
