"""Save and load fitted models."""
