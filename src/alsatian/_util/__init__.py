"""Helpers that any module may use: parsing, formatting, text, files, tables, progress."""
