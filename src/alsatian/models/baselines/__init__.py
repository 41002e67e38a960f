"""Baselines: popularity, mean and biases."""
