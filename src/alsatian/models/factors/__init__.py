"""Shared code of factor models: scores, cold start, similar items."""
