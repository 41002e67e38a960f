"""Events that are kept for the next training."""
