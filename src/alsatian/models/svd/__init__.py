"""Truncated singular value decomposition: PureSVD."""
