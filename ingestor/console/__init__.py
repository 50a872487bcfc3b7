"""The server side of the console: `/api/v1`, for the page that operators keep open."""
