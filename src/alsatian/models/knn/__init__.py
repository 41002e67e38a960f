"""Nearest-neighbor models: ItemKNN and UserKNN."""
