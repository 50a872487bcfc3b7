"""What the service says about itself: metrics and log events, once per batch."""
