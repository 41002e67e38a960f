"""The service without HTTP: the live model, and lists that reflect events since its training."""
