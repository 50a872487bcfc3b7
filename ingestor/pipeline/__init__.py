"""The asyncio part: receive, enrich, batch, write, settle, keep leases, stop."""
