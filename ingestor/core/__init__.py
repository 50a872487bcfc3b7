"""The pure part: data and decisions, without asyncio, clocks, logs or network."""
