"""The device fleet, the ledger and the local stack: evidence that nothing is lost."""
