"""The chaos run: load, kills, outages and every fault of the proxy, and a ledger at the end."""
