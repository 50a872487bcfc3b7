"""A small client for the calls that a queue consumer makes: see `transport`."""
