"""Plots, SVG and HTML templates, shared by several packages."""
