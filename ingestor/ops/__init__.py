"""The HTTP server that operators and orchestrators ask."""
