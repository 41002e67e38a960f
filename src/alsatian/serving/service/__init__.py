"""What answers requests: the live model and the events since it was trained."""
