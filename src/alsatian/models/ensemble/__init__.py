"""Combinations of models: weighted blends and fallbacks."""
