"""Clients that mean harm: what they send, and how."""
