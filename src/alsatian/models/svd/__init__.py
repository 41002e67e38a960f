"""PureSVD: truncated singular value decomposition."""
