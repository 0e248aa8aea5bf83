"""What the end-to-end scenarios and the demo are made of: real processes on loopback, started and ended by pid."""
