"""Real things behind the ports: one file each."""
