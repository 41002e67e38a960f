"""Nearest neighbours of items and of users."""
