"""Plots, drawings and HTML that several parts share."""
