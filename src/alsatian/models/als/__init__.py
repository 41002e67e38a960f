"""Alternating least squares: explicit and implicit."""
