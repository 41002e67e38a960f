"""Nearest-neighbour models: ItemKNN and UserKNN."""
