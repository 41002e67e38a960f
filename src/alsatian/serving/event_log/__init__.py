"""The event log: stored events, for the next lists and the next training."""
