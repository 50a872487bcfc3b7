"""The soak: the service under an even load for long, to see whether anything grows."""
