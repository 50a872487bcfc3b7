"""How much one core does: the service, a plain aioboto3 loop and the 2020 handler, side by side."""
