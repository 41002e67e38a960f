"""Sources of rows: files, data frames, databases, Arrow streams."""
